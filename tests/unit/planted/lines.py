"""Lines: what becomes of calls when one is closed, and when callers are answered."""

from tests.unit.planted.fault import CALENDAR, Plant, fault, flow, main

NUMBER = 'number = "88007707999"\n'
PICK_UP = '[steps.pick-up]\ndo = "answer"\nnext = "greeting"\n\n[steps.greeting]\n'


def line(*settings: str) -> Plant:
    """More settings of the first line."""
    return main(NUMBER, NUMBER + "".join(f"{setting}\n" for setting in settings))


def blocked(*settings: str) -> Plant:
    """An entry of numbers that are not let in."""
    text = "\n[[blocked]]\n" + "".join(f"{setting}\n" for setting in settings)
    return lambda site: site.append("ccserver.toml", text)


BEGINS_WITH_ANSWER = (flow("[steps.greeting]\n", PICK_UP), flow('start = "greeting"', 'start = "pick-up"'))

FAULTS = (
    fault(
        "a line with hours and no word of what then", "lines[0].closed: is missing", CALENDAR, line('calendar = "shop"')
    ),
    fault("a line closed at no time", "lines[0].calendar: is missing: expected its hours", line('closed = "busy"')),
    fault(
        "a line's calendar that is none",
        'lines[0].calendar: there is no calendar "shp"; did you mean "shop"?',
        CALENDAR,
        line('calendar = "shp"', 'closed = "busy"'),
    ),
    fault(
        "a closed line with nowhere to go",
        'lines[0].closed: there is no flow "bussy"; did you mean "busy"?',
        CALENDAR,
        line('calendar = "shop"', 'closed = "bussy"'),
    ),
    fault(
        "a line that is closed and does as if it were not",
        "lines[0].closed: warning: the line does the same when it is closed as when it is open",
        CALENDAR,
        line('calendar = "shop"', 'closed = "nordlis"'),
    ),
    fault("a menu for who is not answered", "many networks carry no keys before", line('answer = "operator"')),
    fault(
        "a long wait for who is not answered",
        "networks end such a call after one to three minutes",
        line('answer = "operator"'),
    ),
    fault(
        "busy that nobody can be told",
        "everybody who comes here has been answered, and nobody is told busy",
        flow('do = "hangup"', 'do = "hangup"\ncause = "busy"'),
    ),
    fault(
        "a blocked number's treatment that is none",
        'blocked[0].treatment: there is no flow "rejct"; did you mean "reject"?',
        blocked('numbers = ["+7495"]', 'treatment = "rejct"'),
    ),
    fault(
        "a number blocked on a line that is none",
        'blocked[0].lines[0]: there is no line "88007707990"; did you mean "88007707999"?',
        blocked('numbers = ["+7495"]', 'lines = ["88007707990"]'),
    ),
    fault("a line of ours among the blocked", "is our own line Нордлис", blocked('numbers = ["+78007707999"]')),
    fault(
        "a number blocked twice",
        "blocked[1].numbers[0]: +7495 is blocked already by blocked[0]",
        blocked('numbers = ["+7495"]'),
        blocked('numbers = ["+7495"]', 'treatment = "busy"'),
    ),
    fault(
        "a number blocked by its beginning already",
        "blocked[0].numbers[1]: warning: +7495 of blocked[0] blocks it already",
        blocked('numbers = ["+7495", "+74951234567"]'),
    ),
    fault(
        "a whisper that is no prompt",
        'lines[0].whisper[0]: there is no prompt "nordlis" in prompts.toml',
        line('whisper = ["nordlis"]'),
    ),
    fault("an answer that answers nobody", "everybody who comes here has been answered already", *BEGINS_WITH_ANSWER),
)
