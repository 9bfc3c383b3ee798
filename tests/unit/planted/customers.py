"""Customers by the beginnings of their numbers, and from a table."""

from tests.unit.planted.fault import Plant, added, fault, written

FILE = added('[customer_file]\npath = "customers.csv"\n')


def rows(*lines: str, header: str = "number;name;priority_s;language;agent") -> Plant:
    """The table."""
    return written("customers.csv", "\n".join([header, *lines, ""]))


FAULTS = (
    fault(
        "a customer without a number",
        "customers[0]: expected numbers, or prefixes, by which he is known",
        added('[[customers]]\nname = "x"\n'),
    ),
    fault("a table of customers that is not there", "customers.csv: No such file or directory", FILE),
    fault(
        "a table of customers that has no end",
        "customers.csv: is longer than 4194304 characters",
        FILE,
        rows("+79161234567;" + "x" * (4 << 20)),
    ),
    fault(
        "a column that is none",
        'customers.csv:1: there is no column "nmae"; did you mean "name"?',
        FILE,
        rows(header="number;nmae"),
    ),
    fault(
        "a row with a value too few",
        "customers.csv:3: expected 5 values as the first line has names, got 2",
        FILE,
        rows("+79161234567;x;;;", "+79161234568;x"),
    ),
    fault(
        "a row with a number that is none",
        'customers.csv:2: number: expected a number like +79161234567, or a beginning like +7495*, got "many"',
        FILE,
        rows("many;x;;;"),
    ),
    fault(
        "a row with a customer who is known already",
        'customers.csv:3: number: "89161234567" is taken already by line 2',
        FILE,
        rows("+79161234567;x;;;", "89161234567;y;;;"),
    ),
    fault(
        "a row with an operator who is none",
        'customers.csv:2: agent: no operator has the extension "1099"',
        FILE,
        rows("+79161234567;x;;;1099"),
    ),
    fault(
        "a table of customers that is none",
        "customers.csv:2: is no table of values between commas",
        FILE,
        rows('+79161234567;"x"y;;;'),
    ),
)
