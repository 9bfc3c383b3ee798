"""Send callers to the fallback dialplan when the daemon is gone for good; run by ccserver-rescue.service.

Calls outlive the daemon, and so would the silence of a caller who waits in its queue. Who talks to an operator is
left alone; who waits or is in a menu goes on in context `fallback`, which tries the daemon again and then takes a
callback request; legs to operators that nobody answered are hung up. Reads nothing but the state directory: a broken
configuration may be the very reason for coming here.
"""

import json
import urllib.error
import urllib.request
from base64 import b64encode
from dataclasses import dataclass
from typing import cast

import msgspec

from ccserver.asterisk.errors import NotRunning
from ccserver.asterisk.process import running_pid
from ccserver.asterisk.secrets import Secrets
from ccserver.asterisk.settings import ARI_USER, Instance

FALLBACK_CONTEXT = "fallback"
_TIMEOUT_S = 5.0
_UP = "Up"


class _Dialplan(msgspec.Struct):
    app_name: str = ""
    app_data: str = ""


class _Channel(msgspec.Struct):
    id: str
    state: str
    dialplan: _Dialplan


class _Bridge(msgspec.Struct):
    id: str
    channels: list[str]


@dataclass(frozen=True, slots=True)
class Rescue:
    """What was done, by channel id."""

    to_fallback: tuple[str, ...]
    hung_up: tuple[str, ...]
    left_talking: tuple[str, ...]


def rescue(instance: Instance, secrets: Secrets) -> Rescue:
    """Do it once, over plain HTTP; channels that end meanwhile are fine."""
    if running_pid(instance) is None:
        raise NotRunning(instance.state_dir)
    ari = _Ari(instance, secrets)
    channels = msgspec.json.decode(ari.request("GET", "channels"), type=list[_Channel])
    bridges = msgspec.json.decode(ari.request("GET", "bridges"), type=list[_Bridge])
    up = {channel.id for channel in channels if channel.state == _UP}
    talking = {party for bridge in bridges if len(up.intersection(bridge.channels)) > 1 for party in bridge.channels}
    to_fallback, hung_up = [], []
    for channel in channels:
        if channel.id in talking or channel.dialplan.app_name != "Stasis":
            continue
        if channel.dialplan.app_data.startswith("ccserver,line"):
            # While a prompt plays the command waits for its end; that is fine, the caller hears something.
            ari.request("POST", f"channels/{channel.id}/continue?context={FALLBACK_CONTEXT}&extension=s&priority=1")
            to_fallback.append(channel.id)
        else:
            ari.request("DELETE", f"channels/{channel.id}")
            hung_up.append(channel.id)
    return Rescue(tuple(to_fallback), tuple(hung_up), tuple(sorted(talking)))


class _Ari:
    """Just enough of ARI, without the daemon's client: this runs when nothing else does."""

    def __init__(self, instance: Instance, secrets: Secrets) -> None:
        self._url = instance.ari_url
        token = b64encode(f"{ARI_USER}:{secrets.ari_password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}"}

    def request(self, method: str, path: str) -> bytes:
        request = urllib.request.Request(f"{self._url}/{path}", method=method, headers=self._headers)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
                return cast(bytes, response.read())
        except urllib.error.HTTPError as error:
            with error:
                if error.code in (404, 409):  # it has gone, or it is no longer in Stasis
                    return b"null"
                raise


def report(done: Rescue) -> str:
    """One line for the journal of the service manager."""
    return json.dumps(
        {"to_fallback": len(done.to_fallback), "hung_up": len(done.hung_up), "left_talking": len(done.left_talking)}
    )
