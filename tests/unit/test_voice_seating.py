"""Nobody who is on the line is left out of the bridge; and which it is, for the sake of the recording."""

import pytest

from ccserver.ari import AriClient, AriRejected, Bridge, Conflict, NotFound
from ccserver.connectors.voice.calls import Call, Calls, MadeLeg, mixed_of
from ccserver.connectors.voice.playing import Playing
from ccserver.connectors.voice.seating import Seating
from ccserver.core.ids import AgentId, ContactId, LegId

CONTACT, CALLER, AGENT, THIRD = ContactId("n-1.0"), LegId("1.0"), LegId("n-1.0.1"), LegId("n-1.0.2")


class Bridges(AriClient):
    """An Asterisk with nothing but bridges, which refuses as it is told: once for each refusal of a leg."""

    def __init__(self, **refusals: AriRejected) -> None:
        self.types: dict[str, str] = {}
        self.seats: dict[str, str] = {}
        self.refusals = refusals

    async def create_bridge(self, bridge_id: str, *, type_: str = "", name: str = "") -> Bridge:
        self.types[bridge_id] = type_
        return Bridge(bridge_id)

    async def add_to_bridge(self, bridge_id: str, *channel_ids: str) -> None:
        for leg in channel_ids:
            if refusal := self.refusals.pop(leg, None):
                raise refusal
            self.seats[leg] = bridge_id

    async def stop_bridge_moh(self, bridge_id: str) -> None:
        pass


def seating(bridges: Bridges) -> tuple[Seating, Call]:
    calls = Calls()
    for leg in (AGENT, THIRD):
        calls.made[leg] = MadeLeg(contact=CONTACT, agent=AgentId("1001"))
    call = calls.add(Call(leg=CALLER, contact=CONTACT))
    return Seating(bridges, calls, Playing(bridges, lambda item, language: ())), call


def rejected(status: int, message: str) -> AriRejected:
    kind = {404: NotFound, 400: NotFound, 409: Conflict}.get(status, AriRejected)
    return kind("POST", f"/bridges/{CONTACT}/addChannel", status, message)


async def test_whoever_talks_second_is_heard_in_a_bridge_that_mixes_and_the_customer_moves_there_first() -> None:
    bridges = Bridges()
    seats, call = seating(bridges)
    await seats.seat(call, (CALLER, AGENT), (), "", mixed=False)
    assert "video_sfu" not in bridges.types[CONTACT]
    assert bridges.seats == {CALLER: CONTACT, AGENT: CONTACT}
    await seats.seat(call, (CALLER, THIRD), (), "", mixed=True)
    mixing = mixed_of(CONTACT)
    assert "video_sfu" in bridges.types[mixing]
    assert bridges.seats == {CALLER: mixing, AGENT: CONTACT, THIRD: mixing}
    assert call.rooms == {CONTACT, mixing}, "both are deleted at the end"
    await seats.seat(call, (CALLER, THIRD), (), "", mixed=False)
    assert bridges.seats[CALLER] == mixing, "it stays so"


@pytest.mark.parametrize(
    "refusal", [rejected(409, "Bridge not in Stasis application"), rejected(404, "Bridge not found")]
)
async def test_where_the_bridge_is_going_it_is_made_anew_and_nobody_is_left_out(refusal: AriRejected) -> None:
    bridges = Bridges(**{AGENT: refusal})
    seats, call = seating(bridges)
    await seats.seat(call, (CALLER, AGENT, THIRD), (), "", mixed=False)
    assert bridges.seats == {CALLER: CONTACT, AGENT: CONTACT, THIRD: CONTACT}


async def test_who_has_hung_up_does_not_keep_the_others_apart() -> None:
    bridges = Bridges(**{AGENT: rejected(400, "Channel not found")})
    seats, call = seating(bridges)
    await seats.seat(call, (CALLER, AGENT, THIRD), (), "", mixed=False)
    assert bridges.seats == {CALLER: CONTACT, THIRD: CONTACT}


async def test_who_cannot_be_seated_is_told() -> None:
    bridges = Bridges(**{AGENT: rejected(409, "Bridge not in Stasis application")})
    seats, call = seating(bridges)
    await seats.customer(call)

    async def refuse(bridge_id: str, *channel_ids: str) -> None:
        raise rejected(409, "Channel currently recording")

    bridges.add_to_bridge = refuse  # type: ignore[method-assign]
    with pytest.raises(Conflict, match="currently recording"):
        await seats.seat(call, (CALLER, AGENT), (), "", mixed=False)
