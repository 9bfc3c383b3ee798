"""Callers whom flows hand on."""

from tests.unit.planted.fault import Plant, added, fault, step


def handed(to: str) -> Plant:
    """A step that hands the caller on."""
    return step(f'do = "transfer"\nto = "{to}"\notherwise = "menu"\n')


FAULTS = (
    fault(
        "a caller handed to nobody",
        'steps.a.to: "ordres" is no operator, queue, line or public number; did you mean "orders"?',
        handed("ordres"),
    ),
    fault(
        "a caller handed to an operator without a queue",
        "steps.a.to: 1099 is in no queue, and callers wait for an operator in a queue of his",
        handed("1099"),
        added('[[operators]]\nextension = "1099"\nname = "x"\nrole = "supervisor"\n'),
    ),
    fault(
        "a caller handed to a number that no call may leave for",
        "steps.a.to: +78091234567 begins with +7809, which tolls.deny names",
        handed("88091234567"),
    ),
    fault(
        "a caller handed to a number where there is no trunk",
        "steps.a.to: warning: there is no trunk by which a call can leave",
        handed("84951234567"),
    ),
)
