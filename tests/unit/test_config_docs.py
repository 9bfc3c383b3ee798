"""The reference says all that may be written, with the defaults that hold."""

import re

import pytest
from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from ccserver.config import flowfile, schema
from tests.config_site import CHECKOUT

REFERENCE = (CHECKOUT / "docs" / "reference" / "configuration.md").read_text()
STEPS = {each.__struct_config__.tag: each for each in flowfile.Step.__args__}


def section(heading: str) -> str:
    """From the heading to the next of the same depth or above."""
    depth = len(heading) - len(heading.lstrip("#"))
    start = REFERENCE.index(f"\n{heading}")
    end = re.search(rf"\n#{{1,{depth}}} ", REFERENCE[start + 2 :])
    return REFERENCE[start : start + 2 + end.start()] if end else REFERENCE[start:]


@pytest.mark.parametrize(
    ("heading", "table"),
    [
        ("### [node]", schema.Node),
        ("### [asterisk]", schema.Asterisk),
        ("### [sip]", schema.Sip),
        ("### [api]", schema.Api),
        ("### [store]", schema.Store),
        ("### [recordings], [prompts], [limits]", schema.Recordings),
        ("### [recordings], [prompts], [limits]", schema.Prompts),
        ("### [recordings], [prompts], [limits]", schema.Limits),
        ("### [rules]", schema.Rules),
        ("### [tolls]", schema.Tolls),
        ("### [outbound]", schema.Outbound),
        ("### [[lines]]", schema.Line),
        ("### [[blocked]]", schema.Blocked),
        ("### [[trunks]]", schema.Trunk),
        ("### [[queues]]", schema.Queue),
        ("### [queues.dispositions]", schema.Dispositions),
        ("### [[queues.relax]]", schema.Stage),
        ("### [[customers]]", schema.Customer),
        ("### [customer_file]", schema.CustomerFile),
        ("### [[lookups]]", schema.Lookup),
        ("### [lookups.fields]", schema.LookupField),
        ("### [[operators]]", schema.Operator),
        *((f'### do = "{tag}"', step) for tag, step in STEPS.items()),
    ],
)
def test_every_field_is_in_the_reference_with_its_default(heading: str, table: type[Struct]) -> None:
    text = section(heading)
    if "as `menu` has" in text:
        text += section('### do = "menu"')
    for field in fields(table):
        row = next(
            (row for row in text.splitlines() if row.startswith("|") and re.search(rf"`(\w+\.)?{field.name}`", row)),
            None,
        )
        assert row is not None, f"{heading} does not tell of {field.name}"
        assert_default(field, row)


def assert_default(field: FieldInfo, row: str) -> None:
    told = row.split("|")[2].strip()
    if field.required:
        assert told == "", f"{field.name} must be written, the reference says otherwise: {row}"
    elif isinstance(field.default, bool):
        assert told == f"`{str(field.default).lower()}`"
    elif isinstance(field.default, int | float):
        assert f"{field.default:g}" in told.split(", "), f"{field.name}: the default is {field.default:g}, not {told}"
    elif isinstance(field.default, str):
        assert told == f'`"{field.default}"`'
    elif isinstance(field.default, tuple) and field.default:
        values = ", ".join(f'"{value}"' for value in field.default)
        assert told == f"`[{values}]`"
    elif isinstance(field.default, Struct):
        assert told == "none"
    else:
        assert field.default in (NODEFAULT, None, ()), field
