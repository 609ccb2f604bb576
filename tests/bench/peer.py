# SPDX-License-Identifier: BSD-2-Clause
"""The other runtimes: whether they are here, and a scenario of theirs."""
import json
import os
import shutil
import statistics
import subprocess
import sys

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers")
NAMES = ["asyncio", "go", "erlang", "node"]
TIMEOUT_S = 120


class Peer:
    """One of NAMES. missing says why it cannot run, or is empty."""

    def __init__(self, name, build):
        self.name = name
        self.missing = ""
        self.version = ""
        self._seen = {}
        try:
            getattr(self, "_find_" + name)(os.path.join(build, "bench", "peers"))
        except (OSError, subprocess.SubprocessError) as error:
            self.missing = str(error)

    def _program(self, name):
        path = shutil.which(name)
        if path is None:
            raise OSError(f"{name} is not installed")
        return path

    def _say(self, command, env=None):
        return subprocess.run(command, env=env, check=True, text=True, timeout=TIMEOUT_S,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.strip()

    def _find_asyncio(self, _):
        self.version = "Python " + sys.version.split()[0]
        self._command = [sys.executable, f"{HERE}/asyncio_bench.py"]
        self._env = {}

    def _find_go(self, place):
        go = self._program("go")
        os.makedirs(place, exist_ok=True)
        env = {**os.environ, "GO111MODULE": "off", "GOCACHE": os.path.abspath(f"{place}/cache"),
               "GOFLAGS": ""}
        self.version = self._say([go, "version"], env).replace("go version ", "")
        self._say([go, "build", "-o", f"{place}/go_bench", f"{HERE}/go_bench.go"], env)
        self._command = [f"{place}/go_bench"]
        self._env = {"GOMAXPROCS": "1"}

    def _find_erlang(self, _):
        escript = self._program("escript")
        self.version = "OTP " + self._say([self._program("erl"), "-noshell", "-eval",
                "io:put_chars(erlang:system_info(otp_release)), halt()."])
        self._command = [escript, f"{HERE}/erl_bench.erl"]
        self._env = {"ERL_FLAGS": "+S 1:1 +P 2000000"}

    def _find_node(self, _):
        node = self._program("node")
        self.version = self._say([node, "--version"])
        self._command = [node, f"{HERE}/node_bench.js"]
        self._env = {}

    def answers(self, scenario, count, runs):
        """What it printed in each run, once per scenario and count; [] when it failed."""
        key = (scenario, count)
        if key not in self._seen:
            self._seen[key] = self._run(scenario, count, 1 if scenario == "sleepers" else runs)
        return self._seen[key]

    def _run(self, scenario, count, runs):
        env = {**os.environ, **self._env}
        if self.name == "erlang" and scenario == "call_cross":
            env["ERL_FLAGS"] = env["ERL_FLAGS"].replace("1:1", "2:2")
        got = []
        for _ in range(runs):
            try:
                said = self._say(self._command + [scenario, str(count)], env)
                got.append(json.loads(said.splitlines()[-1]))
            except (subprocess.SubprocessError, ValueError, IndexError) as error:
                print(f"{self.name}: {scenario} failed: {error}", file=sys.stderr)
                return []
        return got

    def median(self, scenario, count, runs, figure="per_op_ns", factor=1.0):
        values = [answer[figure] * factor for answer in self.answers(scenario, count, runs)]
        return statistics.median(values) if values else None
