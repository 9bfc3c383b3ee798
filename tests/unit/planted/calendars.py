"""Opening hours: what they say, and who goes by them."""

from tests.unit.planted.fault import CALENDAR, HOURS, Plant, fault, flow, main


def week(text: str) -> Plant:
    """Other hours of the week."""
    return main('{ mon-sun = "10:00-05:00" }', text)


def days(text: str) -> Plant:
    """Other days that are different."""
    return main("days = {}", f"days = {text}")


ENDLESS = "max_wait_s = 900                # after a quarter of an hour the caller may leave a message instead\n"

FAULTS = (
    fault(
        "a weekday told twice",
        "mon is told already by mon-fri",
        CALENDAR,
        week('{ mon-fri = "closed", sat-mon = "closed" }'),
    ),
    fault(
        "a weekday not told",
        'tells nothing of sun: write their hours, or "closed"',
        CALENDAR,
        week('{ mon-sat = "closed" }'),
    ),
    fault(
        "a day that is none",
        '"2026-02-30" is no day, or no row of at most 366 days',
        CALENDAR,
        days('{ "2026-02-30" = "closed" }'),
    ),
    fault(
        "a date told twice",
        '01-01 is told already by "01-01..01-08"',
        CALENDAR,
        days('{ "01-01..01-08" = "closed", "01-01" = "closed" }'),
    ),
    fault(
        "hours without length",
        "begins and ends at the same time: for the whole day write",
        CALENDAR,
        week('{ mon-sun = "10:00-10:00" }'),
    ),
    fault("hours that overlap", "overlap", CALENDAR, week('{ mon-sun = "10:00-14:00, 13:00-18:00" }')),
    fault("a calendar that no line goes by", "calendars[0]: warning: no line goes by the calendar shop", CALENDAR),
    fault(
        "a calendar that is never open",
        "calendars[0].week: warning: the calendar shop is never open",
        HOURS,
        week('{ mon-sun = "closed" }'),
    ),
    fault(
        "last year's holidays",
        "all its dates are past, the last was 2020-01-07",
        HOURS,
        days('{ "2020-01-07" = "closed" }'),
    ),
    fault(
        "a line that forgot its hours",
        "lines[0].flow: warning: its flow nordlis asks no calendar",
        HOURS,
        flow('start = "now"', 'start = "greeting"'),
        flow(
            '[steps.now]\ndo = "branch"\ncalendar = "shop"\ncases = { open = "greeting" }\notherwise = "closed"\n', ""
        ),
        flow('[steps.closed]\ndo = "hangup"\nprompts = ["line-closed"]\n', ""),
    ),
    fault(
        "a day that begins in an open night",
        "the day begins at 00:00, when shop is open",
        HOURS,
        main('day_starts_at = "05:00"', 'day_starts_at = "00:00"'),
    ),
    fault(
        "a queue that outlives the hours",
        "who still waits when shop closes may wait for ever",
        HOURS,
        flow(ENDLESS + 'otherwise = "voicemail"\n', ""),
    ),
)
