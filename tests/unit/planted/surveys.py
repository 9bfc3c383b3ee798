"""Questions after the talk, and choices by key and word."""

from tests.unit.planted.fault import Plant, fault, main, step, written

RATE = 'do = "rate"\nprompts = ["goodbye"]\nnext = "{0}"\notherwise = "{0}"\n'
CHOICES = 'do = "listen"\nprompts = ["goodbye"]\notherwise = "menu"\n[steps.a.choices.order]\nnext = "menu"\n'


def asked_after(flow: str, text: str) -> tuple[Plant, Plant]:
    """The queue orders has a survey."""
    return main('name = "orders"\n', f'name = "orders"\nsurvey = "{flow}"\n'), written("csat.toml", text)


END = '[steps.end]\ndo = "hangup"\n'
CSAT = f'start = "ask"\n[steps.ask]\n{RATE.format("end")}{END}'

FAULTS = (
    fault(
        "a survey that is none",
        'queues[0].survey: there is no flow "csatt"; did you mean "csat"?',
        *asked_after("csatt", CSAT),
    ),
    fault(
        "a survey of a line that is none",
        'lines[0].survey: there is no flow "csatt"; did you mean "csat"?',
        main('number = "88007707999"\n', 'number = "88007707999"\nsurvey = "csatt"\n'),
        written("csat.toml", CSAT),
    ),
    fault(
        "a survey without a question",
        "warning: is a survey and has no `rate` step",
        *asked_after("csat", f'start = "end"\n{END}'),
    ),
    fault(
        "a survey that leads back into a queue",
        "steps.end: a survey comes after the talk: it must lead neither into a queue nor",
        *asked_after("csat", CSAT.replace('do = "hangup"', 'do = "queue"\nqueue = "orders"')),
    ),
    fault(
        "a mark that nobody keeps",
        'steps.a: warning: no queue and no line has `survey = "nordlis"`',
        step(RATE.format("menu")),
    ),
    fault("a choice that nobody could make", "steps.a.choices.order: expected a key, words, or both", step(CHOICES)),
    fault(
        "a choice by words alone",
        "steps.a.choices.order: warning: has no key",
        step(CHOICES + 'words = { ru = ["заказ"] }\n'),
    ),
    fault(
        "two choices by one key",
        "steps.a.choices.other.key: key 1 is order already",
        step(CHOICES + 'key = "1"\n[steps.a.choices.other]\nkey = "1"\nnext = "menu"\n'),
    ),
)
