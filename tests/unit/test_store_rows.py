"""Records become rows."""

from msgspec.structs import replace

from ccserver.core.decision import Decision, Lack, Shortage
from ccserver.core.ids import AgentId, ContactId, InquiryId, LegId, MeasureId
from ccserver.core.inquiry import Inquiry
from ccserver.core.measure import Closure
from ccserver.core.records import (
    ContactSaved,
    DecisionSaved,
    InquirySaved,
    MeasureLifted,
    MeasureSaved,
    PreservationSaved,
    ShortageSaved,
    SupervisionSaved,
)
from ccserver.core.supervision import Supervision
from ccserver.store import tables
from ccserver.store.journal_file import TurnRecords
from ccserver.store.rows import rows
from tests.store_turns import ORDERS, Script

LISTENED = Supervision(
    leg=LegId("cc1-1.s1"),
    contact=ContactId("cc1-1"),
    supervisor=AgentId("1003"),
    agent=AgentId("1001"),
    spied=LegId("cc1-1.1"),
    made_at=5.0,
    modes=((5.0, "listen"),),
)


def turn_of(*records: object, seq: int = 1, now: float = 5.0) -> TurnRecords:
    return TurnRecords(seq, now, records)  # type: ignore[arg-type]


def test_what_changes_several_times_in_a_batch_is_written_once_as_it_was_last() -> None:
    script = Script()
    turns = [TurnRecords(turn.seq, turn.now, turn.records) for turn in script.call()]
    made = rows(turns, "j")
    assert {table.name: len(values) for table, values in made.items()} == {
        "contact": 1,
        "segment": 3,
        "offer": 1,
        "agent_interval": 3,
        "disposition": 1,
        "recording": 1,
        "survey": 1,
        "survey_score": 1,
    }
    [contact] = made[tables.contact]
    assert (contact["state"], contact["outcome"], contact["talk_s"]) == ("closed", "answered", 75.0)


def test_times_are_rounded_to_the_millisecond() -> None:
    contact, _ = Script().arrived()
    [row] = rows([turn_of(ContactSaved(contact))], "j")[tables.contact]
    assert row["entered_at"] == 1_780_000_000.012


def test_a_zero_byte_in_what_a_phone_sent_does_not_reach_the_database() -> None:
    contact, _ = Script().arrived(ani="7\0916")
    [row] = rows([turn_of(ContactSaved(contact))], "j")[tables.contact]
    assert row["ani"] == "7\ufffd916"


def test_enums_reach_the_driver_as_plain_text() -> None:
    contact, _ = Script().arrived()
    [row] = rows([turn_of(ContactSaved(contact))], "j")[tables.contact]
    assert type(row["state"]) is str


def test_a_plan_keeps_the_time_of_its_first_adoption() -> None:
    adopted = Script().adopted().records
    [row] = rows([turn_of(*adopted, now=1.0), turn_of(*adopted, seq=2, now=2.0)], "j")[tables.plan]
    assert row["adopted_at"] == 1.0


def test_every_column_of_every_table_is_filled_by_its_record() -> None:
    script = Script()
    records = [record for turn in [script.adopted(), *script.call(), *script.dialled()] for record in turn.records]
    records.append(PreservationSaved(ContactId("cc1-1"), True, "a claim", 5.0))
    records.append(SupervisionSaved(LISTENED))
    decision = Decision(
        contact=ContactId("cc1-1"), segment=2, offer=0, at=5.0, queue=ORDERS, needs=(), ahead=0, able={}
    )
    shortage = Shortage(queue=ORDERS, needs=(), at=5.0, lack=Lack.AT_WORK, able={})
    records += [DecisionSaved(decision), ShortageSaved(shortage)]
    inquiry = Inquiry(id=InquiryId("cc1-1.ask1"), contact=ContactId("cc1-1"), kind="lookup", about="shop", asked_at=3.0)
    records.append(InquirySaved(inquiry))
    closed = Closure(id=MeasureId("m1"), by="Ирина", since=1.0)
    records += [MeasureSaved(closed), MeasureLifted(closed, "time", 2.0)]
    made = rows([turn_of(*records)], "j")
    written = set(tables.metadata.tables.values()) - {tables.projected}
    assert set(made) == written
    assert all(set(row) == set(table.columns.keys()) for table in written for row in made[table])


def test_an_agent_alone_makes_no_row_because_his_intervals_tell() -> None:
    *_, talked, _, _ = Script().call()
    agent_alone = [record for record in talked.records if type(record).__name__ == "AgentSaved"]
    assert agent_alone and rows([turn_of(*agent_alone)], "j") == {}


def test_the_newest_of_two_batches_wins_by_its_own_values() -> None:
    contact, _ = Script().arrived()
    older, newer = ContactSaved(contact), ContactSaved(replace(contact, ani="2"))
    [row] = rows([turn_of(older), turn_of(newer, seq=2)], "j")[tables.contact]
    assert row["ani"] == "2"
