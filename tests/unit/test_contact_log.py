"""The story of a contact in the log: every line has its id, and personal data are marked."""

from pathlib import Path

from structlog.testing import capture_logs

from ccserver.contact_log import ContactLog
from tests.unit.observed import CONTACT, observed


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
