"""Reading Asterisk's channel events from the end of a file that goes on growing."""

import configparser
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccserver.asterisk.cel import COLUMNS, parse_line, read_since
from ccserver.config.places import CHECKOUT

HANGUP = (
    '"HANGUP","1795342364.001234","1795342359.7","1795342359.7","PJSIP/caller-00000007","88123334455","88007707999",'
    '"lines","Stasis","ccserver,line,88007707999","","","{""hangupcause"":16,""hangupsource"":"""",""dialstatus"":""""}"'
)


def line_at(at: float, event: str = "CHAN_START", unique_id: str = "1.1") -> str:
    fields = [event, f"{at:.6f}", unique_id, *[""] * (len(COLUMNS) - 3)]
    return ",".join(f'"{field}"' for field in fields) + "\n"


def test_the_columns_are_those_of_the_template() -> None:
    template = configparser.ConfigParser(comment_prefixes=(";",), interpolation=None)
    template.read(CHECKOUT / "asterisk-conf" / "cel_custom.conf")
    asterisk_name = {
        "event": "EventType",
        "at": "EventTime",
        "unique_id": "UniqueID",
        "linked_id": "LinkedID",
        "channel": "ChanName",
        "caller_number": "Num",
        "exten": "Exten",
        "context": "Context",
        "app": "AppName",
        "app_data": "AppData",
        "peer": "Peer",
        "user_field": "UserField",
        "extra": "EventExtra",
    }
    assert template["ccserver.csv"]["fields"].split(",") == [asterisk_name[column] for column in COLUMNS]


def test_a_hangup_has_its_time_to_the_microsecond_and_its_cause() -> None:
    event = parse_line(HANGUP)
    assert event is not None
    assert (event.event, event.at, event.unique_id) == ("HANGUP", 1795342364.001234, "1795342359.7")
    assert (event.app, event.app_data) == ("Stasis", "ccserver,line,88007707999")
    assert event.hangup_cause() == 16
    assert event.bridge_id() is None


@pytest.mark.parametrize("quote", ["", '"', '""'])
def test_a_number_with_a_line_break_in_it_forges_no_line(tmp_path: Path, quote: str) -> None:
    forged = ",".join(f"{quote}{field}{quote}" for field in ("HANGUP", "1795342364.5", "1.1", *[""] * 10))
    number = f"8\r\n{forged}".replace('"', '""')  # as Asterisk writes what it was sent
    path = tmp_path / "cel.csv"
    path.write_text(line_at(1795342360.0) + line_at(1795342361.0).replace('"1.1",""', f'"1.2","{number}"'), newline="")
    reading = read_since(path, 0.0)
    assert [(event.event, event.unique_id) for event in reading.events] == [("CHAN_START", "1.1")]
    assert reading.malformed == 2


def test_extra_data_that_is_not_json_has_no_cause() -> None:
    event = parse_line(HANGUP)
    assert event is not None
    assert replace(event, extra="{nonsense").hangup_cause() is None


def test_nonsense_is_counted_and_skipped(tmp_path: Path) -> None:
    path = tmp_path / "ccserver.csv"
    nonsense = ["\x00\xff", '"HANGUP"', '"HANGUP","yesterday"' + ',""' * 11, '"A","nan"' + ',""' * 11, '"un"closed","1']
    path.write_text("".join([line_at(1.0), *[f"{line}\n" for line in nonsense], line_at(2.0)]))
    reading = read_since(path, 0.0)
    assert [event.at for event in reading.events] == [1.0, 2.0]
    assert reading.malformed == len(nonsense)


def test_a_line_that_is_still_being_written_is_left_for_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "ccserver.csv"
    path.write_text(line_at(1.0) + line_at(2.0).rstrip("\n"))
    first = read_since(path, 0.0)
    assert ([event.at for event in first.events], first.malformed) == ([1.0], 0)
    with path.open("a") as file:
        file.write("\n")
    assert [event.at for event in read_since(path, 0.0).events] == [1.0, 2.0]


def test_no_file_and_an_empty_file_hold_nothing(tmp_path: Path) -> None:
    assert read_since(tmp_path / "ccserver.csv", 0.0).events == ()
    (tmp_path / "ccserver.csv").write_text("")
    assert read_since(tmp_path / "ccserver.csv", 0.0).events == ()


def test_events_written_slightly_out_of_order_come_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "ccserver.csv"
    path.write_text("".join(map(line_at, [10.0, 12.0, 11.0, 13.0])))
    assert [event.at for event in read_since(path, 11.0).events] == [11.0, 12.0, 13.0]


def test_the_end_of_a_big_file_costs_little(tmp_path: Path) -> None:
    path = tmp_path / "ccserver.csv"
    with path.open("w") as file:
        file.write("not an event\n")  # would be counted if the beginning were read
        for second in range(20_000):
            file.write(line_at(float(second)))
    reading = read_since(path, 19_990.0)
    assert [event.at for event in reading.events] == [float(second) for second in range(19_990, 20_000)]
    assert reading.malformed == 0


@given(
    texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\r\0"), max_size=40_000), max_size=6),
    since=st.integers(min_value=0, max_value=6),
)
def test_whatever_asterisk_quotes_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], since: int
) -> None:
    path = tmp_path_factory.mktemp("cel") / "ccserver.csv"
    lines = []
    for at, text in enumerate(texts):
        fields = ["ANSWER", f"{at}.000000", "1.1", *[""] * (len(COLUMNS) - 4), text]
        lines.append(",".join('"' + field.replace('"', '""') + '"' for field in fields) + "\n")
    path.write_text("".join(lines), encoding="utf-8")
    reading = read_since(path, float(since))
    assert [event.extra for event in reading.events] == texts[since:]
    assert reading.malformed == 0
