"""Reads all frames of a device by an AF_PACKET socket for some seconds, and prints what it saw as JSON.

Arguments: the device, the seconds, and texts. Counts the UDP packets by destination port (IPv4 and IPv6) and the frames that have
each of the texts in them.
"""

import collections
import json
import socket
import struct
import sys
import time

ETH_P_ALL = 3
device, seconds, *texts = sys.argv[1:]
ports: collections.Counter[int] = collections.Counter()
found: collections.Counter[str] = collections.Counter()
frames = 0

with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as reader:
    reader.bind((device, 0))
    reader.settimeout(0.1)
    print("ready", flush=True)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        try:
            frame = reader.recv(65536)
        except TimeoutError:
            continue
        except OSError:  # the device is down for now
            time.sleep(0.05)
            continue
        frames += 1
        for text in texts:
            found[text] += text.encode() in frame
        kind = struct.unpack("!H", frame[12:14])[0]
        if kind == 0x0800 and frame[23] == socket.IPPROTO_UDP:
            ports[struct.unpack("!H", frame[14 + (frame[14] & 15) * 4 + 2 :][:2])[0]] += 1
        if kind == 0x86DD and frame[20] == socket.IPPROTO_UDP:
            ports[struct.unpack("!H", frame[56:58])[0]] += 1

print(json.dumps({"frames": frames, "ports": ports, "texts": found}))
