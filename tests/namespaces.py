"""Networks for a test: namespaces of the kernel, joined by cables, with real NAT in between; gone when the test is over.

with Namespaces("server", "router", "home") as net:
    net.cable("server", "192.0.2.1/24", "router", "192.0.2.2/24")
    with net.inside("server"):
        ...                     # sockets and processes that this thread makes are in there
"""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class Namespaces:
    """Named by this process, so that two test runs do not meet."""

    def __init__(self, *names: str) -> None:
        self._names = {name: f"cc{os.getpid()}-{name}" for name in names}
        self._cables = 0

    def __enter__(self) -> "Namespaces":
        for program, package in (("ip", "iproute2"), ("nft", "nftables")):
            if shutil.which(program) is None:
                pytest.skip(f"{program} is not installed (Debian: apt-get install {package})")
        made = subprocess.run(["ip", "netns", "add", "cctest"], capture_output=True, text=True, check=False)
        if made.returncode:
            pytest.skip(f"this machine lets nobody make network namespaces: {made.stderr.strip()}")
        subprocess.run(["ip", "netns", "del", "cctest"], check=True)
        for name in self._names:
            self._run("ip", "netns", "add", self._names[name])
            self.run(name, "ip", "link", "set", "lo", "up")
        return self

    def __exit__(self, *_: object) -> None:
        for full in self._names.values():
            subprocess.run(["ip", "netns", "del", full], check=False, capture_output=True)

    def cable(self, one: str, address: str, other: str, other_address: str) -> tuple[str, str]:
        """Join two; returns the names of the two ends."""
        self._cables += 1
        ends = f"a{self._cables}", f"b{self._cables}"
        places = (self._names[one], ends[0], address), (self._names[other], ends[1], other_address)
        peer = ["peer", "name", ends[1], "netns", self._names[other]]
        self._run("ip", "link", "add", ends[0], "netns", self._names[one], "type", "veth", *peer)
        for full, end, own in places:
            self._run("ip", "-n", full, "addr", "add", own, "dev", end)
            self._run("ip", "-n", full, "link", "set", end, "up")
        return ends

    def route(self, name: str, gateway: str) -> None:
        """Where everything goes that is not near."""
        self.run(name, "ip", "route", "add", "default", "via", gateway)

    def forward(self, name: str, rules: str) -> None:
        """Make it a router with these rules of nft."""
        self.run(name, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        self.nft(name, rules)

    def nft(self, name: str, rules: str) -> None:
        """Add rules."""
        command = ["ip", "netns", "exec", self._names[name], "nft", "-f", "-"]
        done = subprocess.run(command, input=rules, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr

    def run(self, name: str, *command: str) -> str:
        """Run a command inside; what it printed."""
        return self._run("ip", "netns", "exec", self._names[name], *command)

    def command(self, name: str, *command: str) -> list[str]:
        """The same command, to be run inside by somebody else."""
        return ["ip", "netns", "exec", self._names[name], *command]

    def enter(self, name: str) -> Callable[[], None]:
        """This thread, and what it makes from here on, is inside, until it calls what is returned."""
        before = present()
        enter(os.open(Path("/run/netns") / self._names[name], os.O_RDONLY))
        return lambda: enter(before)

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """This thread is inside for as long."""
        leave = self.enter(name)
        try:
            yield
        finally:
            leave()

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout


def present() -> int:
    """A handle of the one in which this thread is."""
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY)


def enter(namespace: int) -> None:
    """With this thread; closes the handle."""
    try:
        if _libc.setns(namespace, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(namespace)
