"""Flows: steps that do not fit together, or lead callers astray."""

from tests.unit.planted.fault import HOURS, added, fault, flow, step

COLLECT = 'do = "collect"\nprompts = ["no-input"]\nvariable = "order"\nnext = "menu"\notherwise = "menu"\n'
MANY = "".join(
    f'[steps.b{n}]\ndo = "collect"\nprompts = ["goodbye"]\nvariable = "v{n}"\nnext = "c{n}"\notherwise = "c{n}"\n'
    f'[steps.c{n}]\ndo = "branch"\nvariable = "v{n}"\ncases = {{ 1 = "b{n + 1}" }}\notherwise = "b{n + 1}"\n'
    for n in range(16)
)
LIMIT = "max_wait_s = 900                # after a quarter of an hour the caller may leave a message instead\n"


def branch(rest: str) -> str:
    """A branch that needs nothing more than `rest`."""
    return f'do = "branch"\n{rest}\notherwise = "menu"\n'


FAULTS = (
    # --- steps among themselves
    fault(
        "a flow without its first step",
        'start: there is no step "hello"',
        flow('start = "greeting"', 'start = "hello"'),
    ),
    fault(
        "a key that leads nowhere",
        'steps.menu.keys.1: there is no step "order"; did you mean "orders"?',
        flow('1 = "orders"', '1 = "order"'),
    ),
    fault(
        "steps that go round in no time",
        "steps that wait for nobody lead to each other for ever: a → b → a",
        step(
            'do = "set"\nvariables = { x = "1" }\nnext = "b"\n[steps.b]\n'
            + branch('variable = "x"\ncases = { 1 = "a" }')
        ),
    ),
    fault(
        "more digits wanted than taken",
        "steps.a.min_digits: expected at most max_digits (4), got 9",
        step(COLLECT + "min_digits = 9\nmax_digits = 4\n"),
    ),
    fault(
        "a wait that ends nowhere",
        "steps.orders.otherwise: is missing: expected the step to go to after max_wait_s",
        flow('otherwise = "voicemail"\n', ""),
    ),
    fault(
        "an end without its wait", "steps.orders.max_wait_s: is missing: expected the wait after which", flow(LIMIT, "")
    ),
    fault(
        "hours that end nowhere",
        "steps.orders.closed: is missing: expected the step to go to when the hours are over",
        HOURS,
        flow("[steps.orders]", '[steps.orders]\ncalendar = "shop"'),
    ),
    fault(
        "a branch about nothing",
        "steps.a: expected either `variable` or `calendar`",
        step(branch('cases = { 1 = "menu" }')),
    ),
    fault(
        "a state that no calendar has",
        '"opne" is no state of a calendar; did you mean "open"?',
        HOURS,
        flow("{ open =", "{ opne ="),
    ),
    fault(
        "a step that sets nothing",
        "steps.a: warning: sets neither variables nor a language",
        step('do = "set"\nnext = "menu"\n'),
    ),
    fault(
        "a queue that is full and leads nowhere",
        "steps.orders.full: is missing: expected the step to go to when max_waiting wait already",
        flow(LIMIT, LIMIT + "max_waiting = 5\n"),
    ),
    fault(
        "queues that only lead to each other",
        "who waits in vain goes from queue to queue for ever, each time to its end: orders → service → orders",
        flow('otherwise = "voicemail"', 'otherwise = "service"'),
        flow('otherwise = "voicemail"', 'otherwise = "orders"'),
    ),
    fault(
        "a key that leads back into the same queue",
        "steps.orders.keys.1: warning: leads back to where he waits",
        flow(LIMIT, LIMIT + 'keys = { 1 = "orders" }\n'),
    ),
    fault(
        "a key that nobody tells of",
        "steps.orders.keys: warning: nobody tells callers of 5",
        flow(LIMIT, LIMIT + 'keys = { 5 = "voicemail" }\n'),
        flow('announce = ["all-busy-please-wait"]\n', ""),
    ),
    # --- variables
    fault(
        "a variable that is set nowhere",
        "variable lang is set nowhere in the flow",
        flow('variable = "language"', 'variable = "lang"'),
    ),
    fault(
        "digits collected into our own variable",
        "steps.a.variable: ani is the server's own",
        step(COLLECT.replace('"order"', '"ani"')),
    ),
    fault(
        "a secret that is spoken",
        "variable order is secret: it must not be spoken",
        step(COLLECT.replace("no-input", "digits:{order}") + "secret = true\n"),
    ),
    fault(
        "our own variable set",
        "variables.line: line is the server's own: choose another name",
        step('do = "set"\nvariables = { line = "x" }\nnext = "menu"\n'),
    ),
    fault(
        "a variable set from another",
        "expected a plain text, got",
        step('do = "set"\nvariables = { x = "{ani}" }\nnext = "menu"\n'),
    ),
    # --- journeys
    fault(
        "a flow that no line uses",
        "warning: no line uses the flow spare",
        added('start = "bye"\n[steps.bye]\ndo = "hangup"\nprompts = ["goodbye"]\n', "spare.toml"),
    ),
    fault(
        "a flow too branched to be checked",
        "the flow has too many branches to be checked in full",
        step('do = "set"\nvariables = { y = "1" }\nnext = "b0"\n' + MANY + '[steps.b16]\ndo = "hangup"\n'),
    ),
    fault(
        "a step that nobody can come to",
        "steps.lost: warning: no caller can ever come to this step",
        added('[steps.lost]\ndo = "hangup"\n', "nordlis.toml"),
    ),
    fault(
        "a silent caller who goes round",
        "a caller who presses nothing goes round for ever: menu → hours → menu-again → menu",
        flow('otherwise = "operator"', 'otherwise = "hours"'),
    ),
    fault(
        "a branch that decides nothing",
        "steps.menu-again: warning: decides nothing: every way leads to menu",
        flow('{ en = "menu-english" }', '{ en = "menu" }'),
    ),
    fault(
        "a caller hung up on without a word",
        "whoever waited in vain is hung up on without a word",
        flow('otherwise = "voicemail"', 'otherwise = "end"'),
        added('[steps.end]\ndo = "hangup"\n', "nordlis.toml"),
    ),
    # --- names of other things
    fault(
        "a calendar that is none",
        'steps.now.calendar: there is no calendar "shpo"; did you mean "shop"?',
        HOURS,
        flow('calendar = "shop"', 'calendar = "shpo"'),
    ),
    fault(
        "a queue that is none",
        'steps.orders.queue: there is no queue "order"; did you mean "orders"?',
        flow('queue = "orders"', 'queue = "order"'),
    ),
    fault(
        "skills that nobody has",
        "no operator of queue orders has the skills it takes (orders at 1, english at 10)",
        flow("{ english = 2 }", "{ english = 10 }"),
    ),
    fault(
        "a language that is none",
        "steps.english.language: expected a language of prompts.toml",
        flow('language = "en"', 'language = "de"'),
    ),
    fault(
        "a branch on a language that is none",
        "steps.menu-again.cases.kk: expected a language of prompts.toml",
        flow("cases = { en", 'cases = { kk = "menu", en'),
    ),
    fault(
        "a branch on a line that is none",
        'cases.88007007777: there is no line "88007007777"',
        step(branch('variable = "line"\ncases = { 88007007777 = "menu" }')),
    ),
)
