"""Measures the CPU time, user and system, of programs and all that they start.

Takes, as JSON on standard input, the number of rounds, of those before that are not counted, and the command lines by name;
runs them in turn, round after round; prints the milliseconds of each as JSON, or what a program that fails has printed. The
kernel counts a process's time when it is waited for.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys


def cpu_milliseconds(argv: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(argv, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv)} ended with status {done.returncode}: {done.stdout.decode()}")
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


order = json.load(sys.stdin)
times: dict[str, list[float]] = {name: [] for name in order["commands"]}
for count in range(order["warm_up"] + order["rounds"]):
    for name, argv in order["commands"].items():
        time = cpu_milliseconds(argv)
        if count >= order["warm_up"]:
            times[name].append(time)
print(json.dumps(times))
