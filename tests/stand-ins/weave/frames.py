"""Forwards frames for the router's stand-in, as Weave's sleeve does: between the bridge and the peers, over UDP.

    frames.py DEVICE PORT

DEVICE is vethwe-pcap, the router's end of the veth pair: frames that leave the bridge arrive there, and frames sent there
reach the bridge. Standard input gets a line with the peers whenever they change, each as ADDRESS=MTU. Standard output gets,
once a second if there is news, how many frames were captured and where each new MAC address is. Ends with its input, so
that no frame passes once the router has ended in any way. In Python, as Node.js has no packet sockets.

As in router/sleeve.go of v2.8.1, a frame that may not be fragmented and is larger than a peer's MTU does not reach that
peer: its sender is told the MTU, unless it was for everybody. Others are sent whole, and the underlay fragments them.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from typing import Any

ALL_PROTOCOLS = 3  # ETH_P_ALL, linux/if_ether.h
OWN = 4  # PACKET_OUTGOING, linux/if_packet.h
PATH_MTU_DISCOVERY, OFF = 10, 0  # IP_MTU_DISCOVER and IP_PMTUDISC_DONT, linux/in.h: large datagrams go in fragments
LARGEST = 65535
ETHERNET = 14
DO_NOT_FRAGMENT = 0x40
ICMP, UNREACHABLE, TOO_LARGE = 1, 3, 4


def send(socket_send: Callable[..., Any], *arguments: Any) -> None:
    """Send, and ignore errors: frames may be lost on a network."""
    with contextlib.suppress(OSError):
        socket_send(*arguments)


def checksum(data: bytes) -> int:
    """Return the internet checksum of an even number of bytes."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def may_not_be_fragmented(frame: bytes) -> bool:
    """Tell whether a frame is an IPv4 packet with DF."""
    return len(frame) >= ETHERNET + 20 and frame[12:14] == b"\x08\x00" and bool(frame[ETHERNET + 6] & DO_NOT_FRAGMENT)


def too_large(frame: bytes, mtu: int) -> bytes:
    """Return the frame that tells the sender of a packet that it is larger than the MTU, as its destination would."""
    packet = frame[ETHERNET:]
    header = (packet[0] & 15) * 4
    quoted = packet[: header + 8]
    message = struct.pack("!BBHHH", UNREACHABLE, TOO_LARGE, 0, 0, mtu) + quoted
    message = message[:2] + struct.pack("!H", checksum(message)) + message[4:]
    ip = struct.pack("!BBHHHBBH", 0x45, packet[1], 20 + len(message), 0, 0, 64, ICMP, 0) + packet[16:20] + packet[12:16]
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return frame[6:12] + frame[0:6] + frame[12:14] + ip + message


class Forwarder:
    """Where frames go, and what was seen of them."""

    def __init__(self, device: str, port: int) -> None:
        """Bind to the device and the UDP port."""
        self.port = port
        self.bridge = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
        self.bridge.bind((device, ALL_PROTOCOLS))
        self.wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.wire.setsockopt(socket.IPPROTO_IP, PATH_MTU_DISCOVERY, OFF)
        self.wire.bind(("", port))
        self.peers: dict[str, int] = {}
        self.received = 0
        self.macs: dict[str, str] = {}
        self.told: tuple[int, int] = (0, 0)
        self.told_at = 0.0

    def set_peers(self, lines: str) -> None:
        """Take the peers of the last of several lines."""
        fields = (field.split("=") for field in lines.rstrip("\n").split("\n")[-1].split())
        self.peers = {address: int(mtu) for address, mtu in fields}
        self.macs = {mac: peer for mac, peer in self.macs.items() if not peer or peer in self.peers}

    def learn(self, frame: bytes, peer: str) -> None:
        """Note where the sender of a frame is."""
        self.macs[frame[6:12].hex(":")] = peer

    def from_bridge(self, frame: bytes) -> None:
        """Send a captured frame to the peers."""
        self.received += 1
        self.learn(frame, "")
        is_fixed = may_not_be_fragmented(frame)
        known = self.macs.get(frame[0:6].hex(":"))
        for peer, mtu in self.peers.items():
            if known and known != peer:
                continue
            if not is_fixed or len(frame) <= mtu + ETHERNET:
                send(self.wire.sendto, frame, (peer, self.port))
            elif known:
                send(self.bridge.send, too_large(frame, mtu))

    def from_wire(self, frame: bytes, peer: str) -> None:
        """Pass a peer's frame to the bridge."""
        if peer in self.peers:
            self.learn(frame, peer)
            send(self.bridge.send, frame)

    def tell(self) -> None:
        """Print what is new."""
        now = (self.received, len(self.macs))
        if now != self.told and time.monotonic() - self.told_at >= 1:
            self.told, self.told_at = now, time.monotonic()
            print(json.dumps({"received": self.received, "macs": self.macs}), flush=True)


def main(device: str, port: int) -> None:
    """Forward until standard input ends."""
    # The router may have ended already when it is told something; a traceback would be in its log.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    forwarder = Forwarder(device, port)
    while True:
        ready, _, _ = select.select([0, forwarder.bridge, forwarder.wire], [], [], 1)
        forwarder.tell()
        if 0 in ready:
            line = os.read(0, LARGEST)
            if not line:
                return
            forwarder.set_peers(line.decode())
        if forwarder.bridge in ready:
            frame, (_, _, kind, *_) = forwarder.bridge.recvfrom(LARGEST)
            if kind != OWN:
                forwarder.from_bridge(frame)
        if forwarder.wire in ready:
            frame, (peer, _) = forwarder.wire.recvfrom(LARGEST)
            forwarder.from_wire(frame, peer)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
