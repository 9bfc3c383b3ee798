"""Word to systemd (Type=notify): ready, stopping, and still alive. See `systemd/ccserver.service`."""

import asyncio
import os
import socket


def notify(state: str) -> None:
    """Send one state, for example `READY=1`, as sd_notify(3) does."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)


async def watchdog() -> None:
    """Tell twice per WatchdogSec that the event loop still turns; a loop that hangs tells nothing, and is killed."""
    limit_us = int(os.environ.get("WATCHDOG_USEC", "0"))
    while limit_us:
        notify("WATCHDOG=1")
        await asyncio.sleep(limit_us / 2_000_000)
