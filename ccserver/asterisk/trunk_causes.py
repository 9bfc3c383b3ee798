"""Why a trunk is of no use, in words for who must mend it: a name that leads nowhere, a certificate, a refused registration.

Asterisk tells only that it is so. What a registration was answered stands in its log; what keeps it from getting that far is
found by trying the same from here: resolve the name, connect, look at the certificate.
"""

import asyncio
import os
import re
import socket
import ssl
from pathlib import Path

from ccserver.asterisk.trunks import client_uri
from ccserver.config.schema import Trunk

TRY_S = 3.0
LOG_TAIL = 256 * 1024
"""An answer to a registration that is further back than this is of no interest any more."""

_ANSWER = re.compile(
    r"(?:'(?P<status>\d{3})'|(?P<forbidden>403 Forbidden)|No response) .*on registration attempt to '(?P<uri>[^']+)'"
)
WORDS = {
    "401": "the password or the user is wrong",
    "403": "user, password or our address is refused",
    "404": "the carrier does not know this account",
    "407": "the password or the user is wrong",
    "423": "expires_s is too short for the carrier",
    "500": "the carrier is broken",
    "503": "the carrier is overloaded or under maintenance",
}


class TrunkCause:
    """Of one trunk; what `TrunkSettings.cause` wants."""

    def __init__(self, trunk: Trunk, log_path: Path, ca_path: Path) -> None:
        self._trunk = trunk
        self._log_path = log_path
        self._ca_path = ca_path

    async def __call__(self, refused: bool) -> str:
        """The cause, or nothing when nothing was found out."""
        if flaw := await self._network_flaw():
            return flaw
        if refused:
            return await asyncio.to_thread(registration_answer, self._trunk, self._log_path)
        return ""

    async def _network_flaw(self) -> str:
        trunk = self._trunk
        host, _, port = trunk.outbound_proxy.partition(":") if trunk.outbound_proxy else (trunk.host, "", "")
        try:
            async with asyncio.timeout(TRY_S):
                return await self._tried(host, int(port) if port else trunk.sip_port)
        except TimeoutError:
            return f"{host} does not answer a connection" if trunk.transport != "udp" else f"DNS: no answer for {host}"

    async def _tried(self, host: str, port: int) -> str:
        """What goes wrong on the way to the other side's SIP."""
        trunk = self._trunk
        loop = asyncio.get_running_loop()
        try:
            await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            return f"DNS: {host} has no address ({error.strerror})"
        if trunk.transport == "udp":
            return ""
        context = _trusting(self._ca_path) if trunk.transport == "tls" else None
        try:
            _, writer = await asyncio.open_connection(
                host, port, ssl=context, server_hostname=host if context else None
            )
        except ssl.SSLCertVerificationError as error:
            return f"TLS: {host} shows a certificate that is not valid: {error.verify_message}"
        except ssl.SSLError as error:
            return f"TLS: {host} port {port} speaks no TLS that we could ({error.reason})"
        except OSError as error:
            return f"{host} port {port}: {os.strerror(error.errno) if error.errno else error}"
        writer.close()
        return ""


def registration_answer(trunk: Trunk, log_path: Path) -> str:
    """What the last registration that failed was answered, by Asterisk's log."""
    uri = client_uri(trunk)
    try:
        with log_path.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_TAIL))
            lines = log.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    for line in reversed(lines):
        if (answer := _ANSWER.search(line)) and answer["uri"] == uri:
            status = "403" if answer["forbidden"] else answer["status"]
            if status is None:
                return "is not registered: no answer"
            words = f", {WORDS[status]}" if status in WORDS else ""
            return f"is not registered: answered {status}{words}"
    return ""


def _trusting(ca_path: Path) -> ssl.SSLContext:
    """As Asterisk's own: the same authorities, and the name must be right."""
    context = ssl.create_default_context()
    if ca_path.is_file():
        context.load_verify_locations(ca_path)
    return context
