"""One small fault for everything that `ccserver check` can say, and what it says: FAULTS is the whole table.

Whoever teaches the checks another complaint plants a fault for it in the module of its subject:
`tests/unit/test_planted_faults.py` compares the table with the places in `ccserver/config` that complain.
"""

from tests.unit.planted import (
    calendars,
    calls,
    customers,
    dialplans,
    files,
    flows,
    functions,
    house,
    lines,
    lookups,
    prompts,
    sip,
    surveys,
    transfers,
    trunks,
)
from tests.unit.planted.fault import Fault

FAULTS: tuple[Fault, ...] = (
    *files.FAULTS,
    *house.FAULTS,
    *lines.FAULTS,
    *calendars.FAULTS,
    *flows.FAULTS,
    *functions.FAULTS,
    *calls.FAULTS,
    *customers.FAULTS,
    *dialplans.FAULTS,
    *lookups.FAULTS,
    *prompts.FAULTS,
    *sip.FAULTS,
    *surveys.FAULTS,
    *transfers.FAULTS,
    *trunks.FAULTS,
)
