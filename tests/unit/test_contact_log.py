"""The story of a contact in the log: every line has its id, and personal data are marked."""

from pathlib import Path

from structlog.testing import capture_logs

from ccserver.contact_log import ContactLog
from ccserver.core.events import LegEnded, TrunkChanged
from ccserver.core.ids import LegId
from tests.unit.core_case import NODE
from tests.unit.observed import CONTACT, LEG, MTT, OFFER, observed


def test_a_call_is_told_from_its_arrival_to_its_end(tmp_path: Path) -> None:
    with observed(tmp_path, ContactLog()) as centre, capture_logs() as lines:
        centre.opens()
        lines.clear()
        centre.arrives()
        centre.talks(ring_s=4.0, talk_s=60.5)
    told = [line for line in lines if line.get("contact") == CONTACT]
    assert [(line["event"], line.get("kind") or line.get("state"), line.get("outcome")) for line in told] == [
        ("contact arrived", None, None),
        ("segment ended", "flow", "queued"),
        ("agent", "reserved", None),
        ("offer ended", None, "accepted"),
        ("agent", "ringing", None),
        ("segment ended", "queue", "answered"),
        ("segment ended", "talk", "caller_left"),
        ("agent", "talking", None),
        ("contact ended", None, "answered"),
    ]
    arrived, ended = told[0], told[-1]
    assert (arrived["pii_ani"], arrived["trunk"], arrived["direction"]) == ("+79161234567", "mtt", "inbound")
    assert (ended["wait_s"], ended["talk_s"], ended["agent"]) == (4.0, 60.5, "1001")
    assert not any(
        "+7916" in str(value) for line in told for name, value in line.items() if not name.startswith("pii_")
    )


def test_a_contact_of_the_process_before_does_not_arrive_again(tmp_path: Path) -> None:
    with observed(tmp_path, ContactLog([CONTACT])) as centre, capture_logs() as lines:
        centre.opens()
        centre.arrives()
    assert "contact arrived" not in [line["event"] for line in lines]


def test_a_call_that_an_operator_makes_is_told_with_each_attempt_and_why_it_came_to_nothing(tmp_path: Path) -> None:
    with observed(tmp_path, ContactLog()) as centre, capture_logs() as lines:
        centre.opens()
        centre.tell(TrunkChanged(NODE, MTT.name, usable=True, at=0))
        lines.clear()
        centre.dials("89161234567")
        centre.tell(LegEnded(OFFER, 34, 503, at=0))
        centre.tell(LegEnded(LEG, at=0))
        centre.dials("88091234567", "c2")
        centre.tell(LegEnded(LegId("c2"), at=0))
    told = [line for line in lines if line["event"] in ("attempt ended", "contact ended")]
    assert [(line["event"], line["outcome"], line.get("sip_status")) for line in told] == [
        ("attempt ended", "refused", 503),
        ("contact ended", "no_trunk", None),
        ("contact ended", "blocked", None),
    ]
    assert told[0]["trunk"] == "mtt" and told[1]["pii_reason"] == "mtt: refused (SIP 503)"
    assert told[2]["pii_reason"] == "+78091234567 begins with +7809, which tolls.deny names"
    assert not any("+7" in str(value) for line in told for name, value in line.items() if not name.startswith("pii_"))
