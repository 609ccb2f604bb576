# SPDX-License-Identifier: BSD-2-Clause
"""A bayd with services of one plugin, for the programs here that measure a whole container."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time

ROOT = os.path.realpath("..")


class Daemon:
    """A bayd with the programs as they are installed: libtool's scripts would start a shell first."""

    def __init__(self, path, plugin, services, cells=""):
        self._path = path
        self.socket = f"{path}/run/control.sock"
        os.mkdir(f"{path}/plugins")
        os.mkdir(f"{path}/programs")
        shutil.copy(f"bench/plugins/{plugin}.so", f"{path}/plugins/")
        shutil.copy(f"{ROOT}/container/bayd", f"{path}/programs/")
        libs = f"{ROOT}/container/.libs"
        cell = f"{libs}/bay-cell" if os.path.exists(f"{libs}/bay-cell") else f"{ROOT}/container/bay-cell"
        shutil.copy(cell, f"{path}/programs/")
        with open(f"{path}/bay.ini", "w", encoding="utf-8") as file:
            file.write("[container]\nloops = 2\nlog_level = error\nplugin_dir = plugins\nruntime_dir = run\n"
                       f"watch = no\n{cells}")
            for name, keys in services.items():
                file.write(f"[service {name}]\nplugin = {plugin}\nstart_limit = 1000/1s\n"
                           f"restart_delay = 0\n{keys}\n")
        with open(f"{path}/log", "wb") as log:
            self._process = subprocess.Popen(
                ["programs/bayd", "-c", "bay.ini"], cwd=path, stderr=log,
                env={**os.environ, "LD_LIBRARY_PATH": libs})
        while self._process.poll() is None and not self._is_ready():
            time.sleep(0.02)

    def _run(self, *words):
        return subprocess.run([f"{ROOT}/container/bayctl", "-s", self.socket, *words],
                              check=False, text=True, capture_output=True)

    def _is_ready(self):
        return '"state":"ready"' in self._run("info", "--json").stdout.replace(" ", "")

    def ctl(self, *words):
        done = self._run(*words)
        if done.returncode != 0:
            sys.exit(f"bayctl {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def memory_kib(self):
        """(Rss of the largest isolated cell, Pss of the daemon and all cells)."""
        cells = [cell["pid"] for cell in json.loads(self.ctl("info", "--json"))["data"]["cells"]]
        rollups = [rollup(pid) for pid in [self._process.pid, *cells]]
        return max(r["Rss"] for r in rollups[2:]), sum(r["Pss"] for r in rollups)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()


def rollup(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as lines:
        return {words[0][:-1]: int(words[1]) for words in (line.split() for line in lines)
                if words[-1] == "kB"}
