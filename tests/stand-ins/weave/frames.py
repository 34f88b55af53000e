"""Carries frames for the router's stand-in, as Weave's sleeve does: from the bridge to the peers and back, by UDP.

    frames.py DEVICE PORT

DEVICE is the end vethwe-pcap of the router's pair of devices: what leaves the bridge arrives there, and what is put on it
gets to the bridge. Standard input has a line with the peers' addresses whenever they change. Ends with the input, so that
no frame passes once the router has ended, however it did. In Python, as Node has no packet sockets.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
from collections.abc import Callable
from typing import Any

ALL_PROTOCOLS = 3  # ETH_P_ALL, linux/if_ether.h
OWN = 4  # PACKET_OUTGOING, linux/if_packet.h
PATH_MTU_DISCOVERY, OFF = 10, 0  # IP_MTU_DISCOVER and IP_PMTUDISC_DONT, linux/in.h: large datagrams go in fragments
LARGEST = 65535


def send(socket_send: Callable[..., Any], *arguments: Any) -> None:
    """Send; what can't be sent is lost, as on any wire."""
    with contextlib.suppress(OSError):
        socket_send(*arguments)


def main(device: str, port: int) -> None:
    bridge = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
    bridge.bind((device, ALL_PROTOCOLS))
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.setsockopt(socket.IPPROTO_IP, PATH_MTU_DISCOVERY, OFF)
    wire.bind(("", port))
    peers: set[str] = set()
    while True:
        ready, _, _ = select.select([0, bridge, wire], [], [])
        if 0 in ready:
            told = os.read(0, LARGEST)
            if not told:
                return
            # Several lines may come at once; the last one holds.
            peers = set(told.decode().rstrip("\n").split("\n")[-1].split())
        if bridge in ready:
            frame, (_, _, kind, *_) = bridge.recvfrom(LARGEST)
            if kind != OWN:
                for peer in peers:
                    send(wire.sendto, frame, (peer, port))
        if wire in ready:
            frame, (peer, _) = wire.recvfrom(LARGEST)
            if peer in peers:
                send(bridge.send, frame)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
