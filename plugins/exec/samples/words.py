#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How often each word of a text occurs, as JSON, by Python.

    [service words]
    plugin  = exec
    mode    = length
    command = python3 words.py

    $ bayctl call words 'a rose is a rose'
    {"a": 2, "rose": 2, "is": 1}

A request is its length in a line and then so many bytes; so is a reply, and behind the length
of one that is a failure stands which ("5 invalid"). What is printed to sys.stderr comes into
the log.
"""
import collections
import json
import sys


def answer(body, failure=""):
    sys.stdout.buffer.write(b"%d%s\n%s" % (len(body), failure.encode(), body))
    sys.stdout.buffer.flush()  # or it stays here, and the caller waits


def main():
    for line in iter(sys.stdin.buffer.readline, b""):
        body = sys.stdin.buffer.read(int(line))
        try:
            count = collections.Counter(body.decode().split())
        except UnicodeDecodeError as error:
            answer(f"not UTF-8: {error}".encode(), " invalid")
        else:
            answer(json.dumps(dict(count.most_common()), ensure_ascii=False).encode())


main()
