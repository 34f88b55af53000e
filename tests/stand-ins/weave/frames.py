"""Forwards frames for the router's stand-in, as Weave's sleeve does: between the bridge and the peers, over UDP.

    frames.py DEVICE PORT

DEVICE is vethwe-pcap, the router's end of the veth pair: frames that leave the bridge arrive there, and frames sent there
reach the bridge. Standard input gets a line with the peers' addresses whenever they change. Ends with its input, so that
no frame passes once the router has ended in any way. In Python, as Node has no packet sockets.
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
    """Send, and ignore errors: frames may be lost on a network."""
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
            line = os.read(0, LARGEST)
            if not line:
                return
            # Several lines may arrive at once; the last one counts.
            peers = set(line.decode().rstrip("\n").split("\n")[-1].split())
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
