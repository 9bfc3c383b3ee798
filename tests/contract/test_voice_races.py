"""The voice connector against a real Asterisk where two things happen at once: seen under load, bench/load.py."""

import asyncio
import time
from pathlib import Path

import pytest
from ari_bench import listening, phone_call, playing
from asterisk_instance import AsteriskInstance

from ccserver.ari import AriClient, Conflict, NotFound, PlaybackStarted
from ccserver.asterisk.settings import ARI_USER
from ccserver.connectors.voice.ami import Ami
from ccserver.connectors.voice.calls import Call, Calls, MadeLeg
from ccserver.connectors.voice.endpoints import PhoneRules
from ccserver.connectors.voice.lanes import Lanes
from ccserver.connectors.voice.listing import Lister
from ccserver.connectors.voice.monitor import Monitor
from ccserver.connectors.voice.performer import Performer
from ccserver.connectors.voice.phones import Phones
from ccserver.connectors.voice.transfers import Transfers
from ccserver.connectors.voice.trunks import Trunks, TrunkSigns
from ccserver.connectors.voice.watch import Watch
from ccserver.core.commands import AnswerLeg, ListNode, OfferContact, PlayPrompts
from ccserver.core.events import Fact, NodeListed
from ccserver.core.ids import AgentId, ContactId, Language, LegId, NodeName, OfferId, PlayId, leg_of_offer

NODE, EN = NodeName("n"), Language("en")
SIGNS = TrunkSigns(context="from-trunk", version_field="callerid_tag", full_variable="CC_FULL_", mend="")
CONTACT, OFFER = ContactId("n-1"), OfferId("n-1.1")


class Voice:
    """The parts of the connector, without the stream that would feed them."""

    def __init__(self, ari: AriClient) -> None:
        self.facts: list[Fact] = []
        self.calls, lanes = Calls(), Lanes()
        ami = Ami(0, "", "")
        monitor = Monitor(ami, Path())
        self.performer = Performer(
            ari, self.calls, monitor, lambda item, _: (item if ":" in item else f"sound:{item}",), self.facts.append
        )
        phones = Phones(NODE, ari, self.calls, lanes, self.facts.append, {}, PhoneRules())
        trunks = Trunks(ari, ami, lanes, self.facts.append, NODE, {}, SIGNS, ())
        watch = Watch(ari, lanes, self.facts.append)
        transfers = Transfers(NODE, ari, self.calls, lanes, watch, self.facts.append)
        self.lister = Lister(NODE, ari, self.calls, phones, trunks, watch, transfers, lambda legs, since: ())

    async def listing_while(self, work: asyncio.Event) -> NodeListed:
        """What a listing tells that was asked for before the work was done."""
        command = ListNode(NODE, False, (), 0.0, lane="node:n")
        async with asyncio.TaskGroup() as tasks:
            listing = tasks.create_task(self.lister.list(command), name="listing")
            await asyncio.sleep(0)  # it has asked
            work.set()
        return listing.result()


async def test_a_leg_told_of_twice_is_answered_once_and_the_prompt_it_hears_delays_nothing(
    ari: AriClient, app: str
) -> None:
    voice, leg = Voice(ari), LegId("twice")
    answer = AnswerLeg(leg, EN, lane=CONTACT)
    async with listening(ari, [app]) as heard:
        await phone_call(ari, heard, app, leg)
        voice.calls.add(Call(leg=leg, contact=CONTACT))
        await voice.performer.perform(answer)
        await voice.performer.perform(PlayPrompts(leg, PlayId("long"), ("digits:1234567890",), EN, lane=CONTACT))
        await heard.first(PlaybackStarted, playing("long"))
        await voice.performer.perform(answer)
        assert (await ari.get_playback("long")).state == "playing"
    assert voice.facts == []


async def test_a_leg_that_the_dialplan_hands_over_anew_is_disarmed_anew(ari: AriClient, app: str) -> None:
    voice, leg = Voice(ari), LegId("anew")
    answer = AnswerLeg(leg, EN, lane=CONTACT)
    async with listening(ari, [app]) as heard:
        await phone_call(ari, heard, app, leg)
        call = voice.calls.add(Call(leg=leg, contact=CONTACT))
        await voice.performer.perform(answer)
        await ari.set_variable(leg, "TIMEOUT(absolute)", "15")
        call.entered_at = time.time()
        await voice.performer.perform(answer)
        assert float(await ari.get_variable(leg, "TIMEOUT(absolute)")) == 0


async def test_a_leg_that_came_to_be_while_the_node_was_listed_is_not_missing(ari: AriClient) -> None:
    voice, made = Voice(ari), asyncio.Event()
    voice.performer.expect(OfferContact(OFFER, LegId("1"), AgentId("1001"), "", "default", 20, None, lane=CONTACT))
    (agent_leg,) = voice.calls.made.values()

    async def finished() -> None:
        await made.wait()
        agent_leg.settled_at = time.time()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(finished(), name="offer")
        listed = await voice.listing_while(made)
    assert [(leg.leg, leg.pending) for leg in listed.legs] == [(leg_of_offer(OFFER), True)]


async def test_a_leg_that_was_made_before_the_node_was_listed_and_is_not_there_is_missing(ari: AriClient) -> None:
    voice = Voice(ari)
    agent_leg = MadeLeg(contact=CONTACT, agent=AgentId("1001"), settled_at=time.time())
    voice.calls.made[leg_of_offer(OFFER)] = agent_leg
    assert (await voice.listing_while(asyncio.Event())).legs == ()


class Unfinished(AriClient):
    """Of a bridge that is to be deleted it says what an overloaded Asterisk says: deleted already, and it is not gone yet."""

    asked = 0

    async def delete_bridge(self, bridge_id: str) -> None:
        self.asked += 1
        raise Conflict("DELETE", f"/bridges/{bridge_id}", 409, "Bridge not in Stasis application")


async def test_a_bridge_that_cannot_be_deleted_yet_does_not_keep_a_node_from_being_listed(
    ari: AriClient, asterisk: AsteriskInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ccserver.connectors.voice.listing.BRIDGE_YOUNG_S", -1.0)
    await ari.create_bridge(CONTACT, name="left over")
    async with Unfinished(asterisk.instance.ari_url, ARI_USER, asterisk.secrets.ari_password) as unfinished:
        listed = await Voice(unfinished).lister.list(ListNode(NODE, False, (), 0.0, lane="node:n"))
        assert unfinished.asked == 1 and listed.legs == ()


async def test_an_offer_whose_caller_is_gone_from_asterisk_says_so(ari: AriClient) -> None:
    await ari.create_bridge(CONTACT, name="of nobody")
    try:
        with pytest.raises(NotFound, match="Channel not found"):
            await ari.add_to_bridge(CONTACT, "1700000000.1")
        with pytest.raises(NotFound):
            await ari.add_to_bridge("n-of-no-bridge", "1700000000.1")
    finally:
        await ari.delete_bridge(CONTACT)
