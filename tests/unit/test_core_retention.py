"""By whose rule a recording is kept, and what is noted when it goes."""

from msgspec.structs import replace

from ccserver.core.events import Accepted, PreserveContact, RecordingPurged
from ccserver.core.ids import ContactId, RecordingName
from ccserver.core.plan import Recordings
from ccserver.core.records import PreservationSaved, RecordingSaved
from ccserver.core.retention import Rule, rules
from tests.unit.core_case import LINE, SUPPORT, Case, plan, queue

C1 = ContactId("n1-c1")


def test_without_a_rule_nothing_ever_goes() -> None:
    assert rules(plan()) == ()


def test_a_queue_goes_before_its_line_and_a_line_before_the_kind() -> None:
    house = plan(queues=[queue(keep_days=30), queue("forever", keep_days=0)])
    house = replace(
        house,
        lines={LINE: replace(house.lines[LINE], keep_days=60)},
        recordings=Recordings(talk_days=90, voicemail_days=7),
    )
    apart = (SUPPORT, queue("forever").name)
    assert rules(house) == (
        Rule(name="queues.support.keep_days", days=30, queue=SUPPORT),
        Rule(name=f"lines.{LINE}.keep_days", days=60, line=LINE, but_queues=apart),
        Rule(name="recordings.talk_days", days=90, kind="talk", but_queues=apart, but_lines=(LINE,)),
        Rule(name="recordings.voicemail_days", days=7, kind="voicemail", but_queues=apart, but_lines=(LINE,)),
        Rule(name="recordings.voicemail_days", days=7, kind="comment", but_queues=apart, but_lines=(LINE,)),
    ), "what is kept for ever falls under no rule of others"


def test_days_are_whole_days_before_now() -> None:
    assert Rule(name="x", days=2).before(1_000_000.0) == 1_000_000.0 - 2 * 86400


def test_what_was_purged_keeps_its_row_with_the_rule() -> None:
    told = Case()
    name = RecordingName("n1-c1")
    told.tell(RecordingPurged(C1, name, "talk", 12.5, ((1.0, 2.0),), "recordings.talk_days = 90", at=told.now))
    (saved,) = told.kept(RecordingSaved)
    assert (saved.path, saved.lost, saved.duration_s, saved.gaps) == (None, "", 12.5, ((1.0, 2.0),))
    assert (saved.purged_at, saved.purged_by) == (told.now, "recordings.talk_days = 90")


def test_a_contact_is_preserved_and_let_go_again() -> None:
    told = Case()
    told.tell(PreserveContact(C1, True, "a claim", at=told.now), PreserveContact(C1, False, at=told.now))
    assert told.router.answers == (Accepted(), Accepted())
    assert [(each.preserved, each.reason) for each in told.kept(PreservationSaved)] == [(True, "a claim"), (False, "")]
