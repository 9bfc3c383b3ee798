"""A flood of SIP, as a process of its own: `python flood.py METHOD PORT SOURCES SECONDS`; prints how many it sent a second.

Each source is an address of loopback of its own; what comes back is thrown away, as a flooder does.
"""

import itertools
import socket
import sys
import time


def message(method: str, number: int, host: str) -> bytes:
    uri = "sip:127.0.0.1" if method == "REGISTER" else "sip:88007707999@127.0.0.1"
    return (
        f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:5060;rport;branch=z9hG4bKf{number}\r\nMax-Forwards: 70\r\n"
        f"From: <sip:{1000 + number % 9000}@127.0.0.1>;tag={number}\r\nTo: <{uri}>\r\nCall-ID: f{number}@{host}\r\n"
        f"CSeq: 1 {method}\r\nContact: <sip:x@{host}>\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def main(method: str, port: int, sources: int, seconds: float) -> None:
    """Send as fast as one process can."""
    hosts = [f"127.{1 + n // 62500 % 250}.{n // 250 % 250}.{1 + n % 250}" for n in range(sources)]
    sockets = []
    for host in hosts:
        sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sockets[-1].bind((host, 0))
    print("flooding", flush=True)
    began = time.monotonic()
    for number in itertools.count():
        if time.monotonic() - began > seconds:
            break
        which = number % sources
        sockets[which].sendto(message(method, number, hosts[which]), ("127.0.0.1", port))
    print(round(number / (time.monotonic() - began)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
