"""Customers who are known: those of `ccserver.toml`, and the rows of a table that another program writes. Asked by `load`."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from ccserver.config import schema
from ccserver.config.conform import conforms
from ccserver.config.errors import Problem, did_you_mean, listed, shown, shown_path
from ccserver.config.findings import Findings
from ccserver.config.prompts import Catalogue, check_language
from ccserver.config.source import Document, KeyPath
from ccserver.core.numbers import Region, canonical
from ccserver.core.plan import Plan

NUMBERS_MAX = 10_000
"""Of customers: the plan with all of them is kept in the journal."""
BYTES_MAX = 4 * 1024 * 1024
COLUMNS = ("number", "name", "priority_s", "language", "agent")
"""Of the table; only the first two must be there. A number with a star behind it is the beginning of numbers."""


class Row(Struct, frozen=True):
    """One customer of the table."""

    line: int
    customer: schema.Customer


def read_rows(main: schema.Main, document: Document, found: Findings) -> tuple[Row, ...]:
    """The rows of the table that `[customer_file]` names; what is wrong goes to `found`, each with its line."""
    if not main.customer_file.path:
        return ()
    file = document.file.parent / main.customer_file.path
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            text = opened.read(BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror or "cannot be read") if isinstance(error, OSError) else "is no text in UTF-8"
        found.error(document, ("customer_file", "path"), f"{shown_path(file)}: {reason}")
        return ()
    if len(text) > BYTES_MAX:
        found.error(document, ("customer_file", "path"), f"{shown_path(file)}: is longer than {BYTES_MAX} characters")
        return ()
    return tuple(_rows(file, text, found))


def _rows(file: Path, text: str, found: Findings) -> Iterator[Row]:
    first = text.partition("\n")[0]
    table = csv.reader(text.splitlines(keepends=True), delimiter=";" if ";" in first else ",", strict=True)
    header: list[str] = []
    try:
        for values in table:
            told = [value.strip() for value in values]
            if not any(told):
                continue
            if not header:
                header = [name.lower() for name in told]
                if flaw := _header_flaw(header):
                    found.problems.append(Problem(file=shown_path(file), line=table.line_num, message=flaw))
                    return
            elif flaws := tuple(_row_flaws(header, told)):
                for column, flaw in flaws:
                    where = {"file": shown_path(file), "line": table.line_num, "field": column}
                    found.problems.append(Problem(message=flaw, **where))  # type: ignore[arg-type]
            else:
                yield Row(table.line_num, _customer(dict(zip(header, told, strict=False))))
    except csv.Error as error:
        message = f"is no table of values between commas: {error}"
        found.problems.append(Problem(file=shown_path(file), line=table.line_num, message=message))


def _header_flaw(header: list[str]) -> str:
    for name in header:
        if name not in COLUMNS:
            return f"there is no column {shown(name)}{did_you_mean(name, COLUMNS) or f'; there are {listed(COLUMNS)}'}"
    missing = [name for name in COLUMNS[:2] if name not in header]
    twice = [name for name in header if header.count(name) > 1]
    if missing or twice:
        return f"the column {missing[0]} is missing" if missing else f"the column {twice[0]} is there twice"
    return ""


_KINDS: Mapping[str, object] = {"name": schema.HumanName, "language": schema.LanguageCode, "agent": schema.Extension}


def _row_flaws(header: list[str], values: list[str]) -> Iterator[tuple[str, str]]:
    if len(values) != len(header):
        yield "", f"expected {len(header)} values as the first line has names, got {len(values)}"
        return
    for column, value in zip(header, values, strict=True):
        if column == "number":
            kind = schema.Prefix if value.endswith("*") else schema.KnownNumber
            if not conforms(value.removesuffix("*"), kind):
                yield column, f"expected a number like +79161234567, or a beginning like +7495*, got {shown(value)}"
        elif column == "priority_s":
            if value and not (value.isdecimal() and int(value) <= 86400):
                yield column, f"expected whole seconds from 0 to 86400, got {shown(value)}"
        elif (value or column == "name") and not conforms(value, _KINDS[column]):
            yield column, f"expected {_expected(column)}, got {shown(value)}"


def _expected(column: str) -> str:
    return {"name": "a text of at most 80 characters", "language": 'a language like "ru"'}.get(column, "an extension")


def _customer(row: Mapping[str, str]) -> schema.Customer:
    number = row["number"]
    customer = schema.Customer(
        name=row["name"],
        priority_s=float(row.get("priority_s") or 0),
        language=row.get("language") or None,
        agent=row.get("agent") or None,
    )
    if number.endswith("*"):
        return replace(customer, prefixes=(number.removesuffix("*"),))
    return replace(customer, numbers=(number,))


def check_customers(
    main: schema.Main, rows: tuple[Row, ...], plan: Plan, document: Document, catalogue: Catalogue, found: Findings
) -> None:
    """Each number is one customer's, and what they name exists; tells `found`."""
    known: dict[str, str] = {}
    region = main.rules.region
    count = sum(len(each.numbers) + len(each.prefixes) for each in (*main.customers, *(row.customer for row in rows)))
    if count > NUMBERS_MAX:
        found.error(document, ("customers",), f"expected at most {NUMBERS_MAX} numbers in all, got {count}")
    for position, customer in enumerate(main.customers):
        path: KeyPath = ("customers", position)
        if not customer.numbers and not customer.prefixes:
            found.error(document, path, "expected numbers, or prefixes, by which he is known")
        for inner, number, key in _keys(customer, region):
            if key in known:
                found.error(document, (*path, *inner), f"{shown(number)} is taken already by {known[key]}")
            known.setdefault(key, f"customers[{position}]")
        for field, flaw in _flaws(customer, plan, catalogue):
            found.error(document, (*path, field), flaw)
    file = shown_path(document.file.parent / main.customer_file.path)
    for row in rows:
        for _, number, key in _keys(row.customer, region):
            if key in known:
                message = f"{shown(number)} is taken already by {known[key]}"
                found.problems.append(Problem(file=file, line=row.line, field="number", message=message))
            known.setdefault(key, f"line {row.line}")
        for field, flaw in _flaws(row.customer, plan, catalogue):
            found.problems.append(Problem(file=file, line=row.line, field=field, message=flaw))


def _keys(customer: schema.Customer, region: Region) -> Iterator[tuple[KeyPath, str, str]]:
    """Each number, with its place and what it is equal by."""
    for place, number in enumerate(customer.numbers):
        yield ("numbers", place), number, canonical(number, region)
    yield from ((("prefixes", place), prefix, f"{prefix}*") for place, prefix in enumerate(customer.prefixes))


def _flaws(customer: schema.Customer, plan: Plan, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    if customer.agent is not None and customer.agent not in plan.operators:
        near = did_you_mean(customer.agent, plan.operators)
        yield "agent", f"no operator has the extension {shown(customer.agent)}{near}"
    if customer.language is not None and (flaw := check_language(catalogue, customer.language)):
        yield "language", flaw
