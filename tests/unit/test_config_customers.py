"""Customers by number, by the beginning of a number, and from a table that another program writes."""

from pathlib import Path

import pytest

from ccserver.core.ids import AgentId, Language
from ccserver.core.plan import Customer
from tests.config_site import Site

PLANT = Customer("Plant", 60.0)
MARIA = Customer("Мария Орлова", 300.0, Language("en"), AgentId("1002"))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    site.append("ccserver.toml", '\n[customer_file]\npath = "customers.csv"\n')
    return site


def table(site: Site, text: str | bytes) -> None:
    site.file("customers.csv").write_bytes(text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(("between", "end"), [(",", "\n"), (";", "\r\n")])
def test_a_table_is_read_as_other_programs_write_it(site: Site, mark: bytes, between: str, end: str) -> None:
    rows = [
        ["Number", "name", "agent", "language", "priority_s"],
        ["8 916 123-45-67".replace(" ", "").replace("-", ""), "Мария Орлова", "1002", "en", "300"],
        ["", "", "", "", ""],
        ["+7495123*", '"Plant"', "", "", "60"],
    ]
    table(site, mark + end.join(between.join(row) for row in rows).encode())
    plan = site.load().plan
    assert plan.customers == {"+79161234567": MARIA} and plan.customer_prefixes == {"+7495123": PLANT}


def test_the_longest_beginning_counts_and_a_number_of_its_own_before_it(site: Site) -> None:
    table(site, "number,name\n+7495*,city\n+7495123*,plant\n+74951234567,director\n")
    plan = site.load().plan
    callers = ("+74951234567", "+74951234568", "+74950000000", "+79161234567", "anonymous", "")
    known = [plan.customer(ani) for ani in callers]
    assert [each.name if each else None for each in known] == ["director", "plant", "city", None, None, None]


def test_both_ways_of_writing_a_customer_go_together(site: Site) -> None:
    site.append("ccserver.toml", '\n[[customers]]\nname = "Plant"\nprefixes = ["+7495123"]\npriority_s = 60\n')
    table(site, "number,name,priority_s\n+79161234567,Ivan,\n")
    plan = site.load().plan
    assert plan.customer_prefixes == {"+7495123": PLANT} and plan.customers == {"+79161234567": Customer("Ivan")}
    assert site.warnings() == []


def test_every_bad_row_is_told_at_once_with_its_line(site: Site) -> None:
    table(site, "number;name;priority_s;language\n+79161234567;;;\n12;x;soon;\n+7916*;x;;de\n+7;x;-1;russian\n")
    told = site.complaints()
    assert [line.split(": ")[0:2] for line in told] == [
        ["customers.csv:2", "name"],
        ["customers.csv:3", "number"],
        ["customers.csv:3", "priority_s"],
        ["customers.csv:5", "language"],
        ["customers.csv:5", "number"],
        ["customers.csv:5", "priority_s"],
    ]


def test_a_table_in_another_encoding_is_refused(site: Site) -> None:
    table(site, "number;name\n+79161234567;Мария\n".encode("cp1251"))
    assert "is no text in UTF-8" in site.complaints()[0]
