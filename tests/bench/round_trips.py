"""Measures round trips of UDP datagrams between two network namespaces.

Takes the paths of both namespaces, the address of the second one's end, and how many round trips to make; prints the
median and the 99th percentile as JSON, in microseconds. One datagram of 64 bytes is under way at a time. Each end has a core
of its own, as two hosts have: on one core, a round trip takes half the time or less, and the scheduler would choose.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import sys
import time

PORT = 5302
WARM_UP = 200
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
CORES = os.sched_getaffinity(0)
LIBC = ctypes.CDLL(None, use_errno=True)


def enter(namespace: str) -> None:
    with open(namespace, "rb") as file:
        if LIBC.setns(file.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"can't enter {namespace}")


def answer(namespace: str, ready: int) -> None:
    # However the measuring process ends, this one does too.
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.sched_setaffinity(0, {max(CORES)})
    enter(namespace)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.bind(("", PORT))
        os.write(ready, b".")
        while True:
            data, sender = end.recvfrom(2048)
            end.sendto(data, sender)


def measure(namespace: str, address: str, count: int) -> list[int]:
    os.sched_setaffinity(0, {min(CORES)})
    enter(namespace)
    times = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.settimeout(2)
        end.connect((address, PORT))
        for _ in range(WARM_UP + count):
            start = time.perf_counter_ns()
            end.send(bytes(64))
            end.recv(2048)
            times.append(time.perf_counter_ns() - start)
    return sorted(times[WARM_UP:])


def main(near: str, far: str, address: str, count: int) -> None:
    ready, child_ready = os.pipe()
    child = os.fork()
    if child == 0:
        answer(far, child_ready)
    try:
        os.close(child_ready)
        if os.read(ready, 1) == b"":
            sys.exit(f"nothing answers in {far}")
        times = measure(near, address, count)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    print(json.dumps({"median": times[count // 2] / 1000, "late": times[count * 99 // 100] / 1000}))


main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
