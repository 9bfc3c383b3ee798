"""What becomes of calls to a line that is closed: a refusal or a flow, both known. Asked by `crosscheck`."""

from ccserver.config import schema
from ccserver.config.errors import did_you_mean, listed, shown
from ccserver.config.findings import Findings
from ccserver.config.source import Document, KeyPath
from ccserver.core.plan import REFUSALS, Plan


def check_closing(line: schema.Line, path: KeyPath, plan: Plan, document: Document, found: Findings) -> None:
    """`calendar` and `closed` of a line."""
    if (line.calendar is None) != (line.closed is None):
        missing = "closed" if line.closed is None else "calendar"
        wanted = "busy, reject or the flow for calls when the line is closed" if line.closed is None else "its hours"
        found.error(
            document, (*path, missing), f"is missing: expected {wanted}; `calendar` and `closed`, both or neither"
        )
    if line.calendar is not None and line.calendar not in plan.calendars:
        near = did_you_mean(line.calendar, plan.calendars) or f"; there are {listed(plan.calendars) or 'none'}"
        found.error(document, (*path, "calendar"), f"there is no calendar {shown(line.calendar)}{near}")
    if line.closed is not None and (flaw := treatment_flaw(line.closed, plan)):
        found.error(document, (*path, "closed"), flaw)
    if line.closed == line.flow:
        found.warn(document, (*path, "closed"), "the line does the same when it is closed as when it is open")


def treatment_flaw(treatment: str, plan: Plan) -> str | None:
    """Why a call cannot be treated so; None when it can."""
    if treatment in REFUSALS or treatment in plan.flows:
        return None
    ways = (*REFUSALS, *sorted(plan.flows))
    near = did_you_mean(treatment, ways) or f"; there are {listed(ways)}"
    return f"there is no flow {shown(treatment)}{near}"
