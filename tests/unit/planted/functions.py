"""Functions of the admin's own."""

from tests.unit.planted.fault import Plant, fault, step, written


def asked(function: str = "loyalty.level") -> Plant:
    """A step that asks it."""
    return step(f'do = "python"\nfunction = "{function}"\nnext = "menu"\nfailed = "menu"\n')


FAULTS = (
    fault("a file of functions that is not there", "loyalty.py: No such file or directory", asked()),
    fault(
        "a function that its file has not",
        'loyalty.py has no function lewel; did you mean "level"?',
        asked("loyalty.lewel"),
        written("loyalty.py", "def level(variables):\n    return None\n"),
    ),
    fault(
        "a file of functions that is no Python",
        "loyalty.py:2: is no Python: ",
        asked(),
        written("loyalty.py", "def level(variables):\n    return (\n"),
    ),
    fault(
        "a file of functions that fails as it is read",
        "loyalty.py:3: raised KeyError: 'SHOP'",
        asked(),
        written("loyalty.py", "import os\n\nSHOP = os.environ['SHOP']\n\ndef level(variables):\n    return None\n"),
    ),
)
