"""A phone's transfer and the end of its leg are told on two ways: whichever is first, the core hears of the transfer first."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ccserver.ari import AriClient
from ccserver.ari.messages import decode_event
from ccserver.connectors.voice import transfers as module
from ccserver.connectors.voice.ami import Ami
from ccserver.connectors.voice.calls import Call, Calls
from ccserver.connectors.voice.endpoints import PhoneRules
from ccserver.connectors.voice.facts import Translator
from ccserver.connectors.voice.lanes import Lanes
from ccserver.connectors.voice.phones import Phones
from ccserver.connectors.voice.transfers import Transfers
from ccserver.connectors.voice.trunks import Trunks, TrunkSigns
from ccserver.connectors.voice.voicemails import Voicemails
from ccserver.connectors.voice.watch import Watch
from ccserver.core.events import Fact, LegEnded, LegUnseated, TransferRequested
from ccserver.core.ids import ContactId, LegId, NodeName

NODE = NodeName("n")
FIRST, SECOND = LegId("first"), LegId("second")
SIGNS = TrunkSigns(context="from-trunk", version_field="callerid_tag", full_variable="CC_FULL_", mend="")
TOLD = [TransferRequested, LegUnseated, LegUnseated, LegEnded]


class Voice:
    """What hears Asterisk's events; nothing is asked of it, for no lane runs."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        client, calls, lanes, ami = AriClient("http://127.0.0.1:1", "", ""), Calls(), Lanes(), Ami(0, "", "")
        phones = Phones(NODE, client, calls, lanes, self.facts.append, {}, PhoneRules())
        trunks = Trunks(client, ami, lanes, self.facts.append, NODE, {}, SIGNS, ())
        watch = Watch(client, lanes, self.facts.append)
        transfers = Transfers(NODE, client, calls, lanes, watch, self.facts.append)
        voicemails = Voicemails(Path(), Path())
        self._translator = Translator(NODE, calls, self.facts.append, watch, phones, trunks, voicemails, transfers)
        for leg in (FIRST, SECOND):
            calls.add(Call(leg=leg, contact=ContactId(f"n-{leg}"), channel_name=f"PJSIP/1001-{leg}"))

    def hear(self, kind: str, **fields: Any) -> None:
        """One event of Asterisk."""
        said = {"type": kind, "application": "ccserver", "timestamp": "2026-11-30T12:00:00.000+0000", **fields}
        self._translator.take(decode_event(msgspec.json.encode(said)))

    def replaced(self, leg: LegId) -> None:
        """One half of a Local channel takes its place."""
        self.hear("StasisStart", args=[], channel=channel(f"half-{leg}"), replace_channel=channel(leg))

    def ended(self, leg: LegId) -> None:
        """It has gone."""
        self.hear("ChannelDestroyed", channel=channel(leg), cause=16)

    def joined(self, result: str = "Success") -> None:
        """What the phone's key is told to have done."""
        legs = {"transferer_first_leg": channel(FIRST), "transferer_second_leg": channel(SECOND)}
        self.hear("BridgeAttendedTransfer", **legs, result=result, destination_type="link")

    @property
    def told(self) -> list[type[Fact]]:
        """The kinds of facts, in their order."""
        return [type(fact) for fact in self.facts]


def channel(leg: str) -> dict[str, Any]:
    """As Asterisk describes it."""
    return {
        "id": leg,
        "name": f"PJSIP/1001-{leg}",
        "state": "Up",
        "caller": {"name": "", "number": "1001"},
        "connected": {"name": "", "number": ""},
        "dialplan": {"context": "operators", "exten": "1002", "priority": 1, "app_name": "Stasis", "app_data": ""},
        "creationtime": "2026-11-30T12:00:00.000+0000",
        "language": "ru",
        "accountcode": "",
        "protocol_id": "",
    }


@pytest.mark.parametrize("ends_first", [True, False])
async def test_the_end_of_a_joined_leg_is_told_after_the_transfer(ends_first: bool) -> None:
    voice = Voice()
    voice.replaced(SECOND)
    voice.replaced(FIRST)
    if ends_first:
        voice.ended(SECOND)
        voice.joined()
    else:
        voice.joined()
        voice.ended(SECOND)
    assert voice.told == TOLD and voice.facts[-1] == LegEnded(SECOND, 16, None, at=voice.facts[-1].at)


async def test_the_end_of_a_leg_that_hands_over_is_told_after_where_to() -> None:
    voice = Voice()
    voice.replaced(FIRST)
    voice.hear("BridgeBlindTransfer", channel=channel(FIRST), exten="1002", context="transfer", result="Success")
    voice.ended(FIRST)
    voice.hear("StasisStart", args=["transfer", "1002", f"PJSIP/1001-{FIRST}"], channel=channel("other-half"))
    assert voice.told == [LegUnseated, TransferRequested, LegEnded]


async def test_asked_where_to_before_it_is_replaced_its_end_waits_for_nothing() -> None:
    voice = Voice()
    voice.hear("StasisStart", args=["transfer", "1002", f"PJSIP/1001-{FIRST}"], channel=channel("other-half"))
    voice.replaced(FIRST)
    voice.hear("BridgeBlindTransfer", channel=channel(FIRST), exten="1002", context="transfer", result="Success")
    voice.ended(FIRST)
    assert voice.told == [TransferRequested, LegUnseated, LegEnded]


async def test_of_a_transfer_that_came_to_nothing_the_end_waits_no_longer() -> None:
    voice = Voice()
    voice.replaced(FIRST)
    voice.ended(FIRST)
    assert voice.told == []
    voice.joined(result="Fail")
    assert voice.told == [LegEnded]


async def test_nor_for_ever_when_nothing_is_told_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOLD_WITHIN_S", 0.0)
    voice = Voice()
    voice.replaced(FIRST)
    voice.ended(FIRST)
    await asyncio.sleep(0)  # a turn of the loop, in which what is due is done
    await asyncio.sleep(0)
    assert voice.told == [LegEnded]


async def test_any_other_end_is_told_at_once() -> None:
    voice = Voice()
    voice.ended(FIRST)
    assert voice.told == [LegEnded]
