"""The three questions that `liveness` asks: of ARI, of AMI, and of PJSIP on its own port."""

from collections.abc import Mapping

from msgspec import Struct

from ccserver import ari
from ccserver.connectors.voice import sip_options
from ccserver.connectors.voice.ami import Ami
from ccserver.connectors.voice.calling import APP
from ccserver.connectors.voice.liveness import WITHIN_S, Probe, Silent

EVERY_S = 2.0
SIP_EVERY_S = 5.0
"""Less often: each question is a line in Asterisk's security.log."""


class SipPort(Struct, frozen=True):
    """Where PJSIP listens, and whom it is asked as: somebody it knows, or fail2ban would count us among those who guess."""

    host: str
    port: int
    user: str


def probes(client: ari.AriClient, ami: Ami, sip: SipPort) -> Mapping[str, Probe]:
    """By name, as the alarm and the metrics have it."""

    async def ask_ari() -> None:
        # Not /asterisk/ping, which answers while the applications are deadlocked (asterisk#2170).
        try:
            await client.get_application(APP)
        except ari.NotFound:
            return
        except ari.AriError as error:
            raise Silent(str(error)) from None

    async def ask_ami() -> None:
        answer = await ami.send({"Action": "Ping"})
        if answer is None:
            raise Silent("no answer, or it let us not log in")

    async def ask_sip() -> None:
        try:
            await sip_options.ask(sip.host, sip.port, sip.user, WITHIN_S)
        except sip_options.NoAnswer as error:
            raise Silent(str(error)) from None

    return {"ari": Probe(ask_ari, EVERY_S), "ami": Probe(ask_ami, EVERY_S), "sip": Probe(ask_sip, SIP_EVERY_S)}
