"""The decision log: each step writes down why it decided so, in a form that neither a long queue nor a long wait makes long.

A contact that begins to wait gets one `Decision`, and each offer one. While it waits, the reason why nobody takes it is that
of all who need the same: it is written once for all of them, as a `Shortage`, and only when it changes. Those who could serve
a need are counted by `core.roster`; named are the first of a few benches.
"""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from msgspec.structs import replace

from ccserver.core.agent import AgentState
from ccserver.core.contact import Contact, ContactState
from ccserver.core.decision import Candidate, Decision, Lack, Shortage
from ccserver.core.floor import Floor
from ccserver.core.ids import AgentId
from ccserver.core.matching import Ability, Need, Pair
from ccserver.core.prospects import position
from ccserver.core.records import DecisionSaved, ShortageSaved

NAMED = 3
"""Of the idle who were not chosen, so many are named."""
_IDLE = {AgentState.NOT_READY, AgentState.UNREACHABLE, AgentState.LOGGED_OUT}
_AT_WORK = (AgentState.TALKING, *(state for state in AgentState if state not in {*_IDLE, AgentState.TALKING}))
"""What most do first: it is asked for at every step."""


def lack_of(doing: Mapping[AgentState, int]) -> Lack:
    """Why nobody takes a contact when those who are able to do this; whoever is ready would have it if its node were not busy."""
    if doing.get(AgentState.READY):
        return Lack.NODE_BUSY
    for state in _AT_WORK:
        if doing.get(state):
            return Lack.AT_WORK
    if doing.get(AgentState.NOT_READY) and not doing.get(AgentState.UNREACHABLE):
        return Lack.BREAKS
    if doing.get(AgentState.UNREACHABLE):
        return Lack.PHONES_AWAY
    return Lack.NOBODY_LOGGED_IN if doing.get(AgentState.LOGGED_OUT) else Lack.NOBODY_ABLE


def lacking(need: Need, ability: Ability) -> str:
    """Why an agent with this ability may not serve a contact with this need, for people; empty when he may."""
    if not {need.queue, *need.also} & {*ability.queues}:
        return f"not in queue {need.queue}"
    levels = dict(ability.skills)
    for want in need.skills:
        if (level := levels.get(want.skill, 0)) < want.level:
            return f"needs {want.skill} at {want.level}, has {f'level {level}' if level else 'not the skill'}"
    return ""


def chosen(floor: Floor, pair: Pair) -> None:
    """This contact is about to be offered to this agent: who else was there?"""
    contact = floor.contacts[pair.contact]
    _decided(
        floor,
        contact,
        offer=contact.made + 1,
        agent=pair.agent,
        why=pair.why,
        idle_since=floor.agents[pair.agent].idle_since,
        others=_others(floor, _need(contact), pair),
    )


def left_waiting(floor: Floor) -> None:
    """After all offers of a step: who began to wait in vain, and for whom the reason of waiting is another now."""
    for contact_id in floor.unsettled:
        contact = floor.contacts.get(contact_id)
        if contact is not None and contact.state is ContactState.WAITING and contact.place is not None:
            lack = _lack(floor, contact)
            if lack is not Lack.NODE_BUSY or contact_id not in floor.held:
                _decided(floor, contact, lack=lack)
    needs = floor.waiting.needs()
    for need, crew in floor.roster.changed.items():
        if need not in needs:
            crew.told = None  # whoever waits next is told anew
        elif (lack := lack_of(crew.doing)) is not crew.told:
            crew.told = lack
            shortage = Shortage(
                queue=need.queue, needs=need.skills, also=need.also, at=floor.now, lack=lack, able=crew.tally
            )
            floor.record(ShortageSaved(shortage))
    floor.roster.changed.clear()


def _lack(floor: Floor, contact: Contact) -> Lack:
    """Why nobody takes it; of a whole line it is known from now on."""
    if (asked := _asked(contact)) is not None:
        return lack_of({floor.agents[asked].state: 1})
    crew = floor.roster.crew(_need(contact))
    crew.told = lack_of(crew.doing)
    return crew.told


def _decided(floor: Floor, contact: Contact, *, offer: int = 0, **about: Any) -> None:
    need, asked = _need(contact), _asked(contact)
    assert contact.place is not None
    decision = Decision(
        contact=contact.id,
        segment=contact.segments,
        offer=offer,
        at=floor.now,
        queue=need.queue,
        needs=need.skills,
        also=need.also,
        eased=contact.place.eased,
        ahead=0 if offer else position(floor, contact) - 1,
        able=floor.roster.crew(need).tally if asked is None else {floor.agents[asked].state: 1},
        asked=asked,
        only_until=contact.place.only_until,
        idle=len(floor.idle),
        **about,
    )
    floor.record(DecisionSaved(decision))


def _others(floor: Floor, need: Need, pair: Pair) -> tuple[Candidate, ...]:
    """Some who had nothing to do either, the first of each bench: they come later, or may not take it."""
    seats = [seat for seat in islice(floor.idle.benches(), NAMED + 1) if seat.agent != pair.agent]
    return tuple(Candidate(seat.agent, seat.since, lacking(need, seat.ability)) for seat in seats[:NAMED])


def _asked(contact: Contact) -> AgentId | None:
    assert contact.place is not None
    return contact.place.agent


def _need(contact: Contact) -> Need:
    assert contact.place is not None
    return replace(Need.of(contact.place), agent=None)
