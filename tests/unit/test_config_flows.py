"""What does not fit together in a flow: each kind of fault planted in the demo is found, on its line."""

from pathlib import Path

import pytest

from ccserver.config.flowcheck import circles
from tests.config_site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def with_steps(site: Site, steps: str, *, first: str) -> int:
    """Put steps before the menu of Nordlis; returns the line of `steps` 1."""
    site.change("nordlis.toml", 'next = "menu"', f'next = "{first}"')
    return site.append("nordlis.toml", "\n" + steps) + 1


def test_the_demo_is_without_fault(site: Site) -> None:
    assert site.warnings() == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'start = "greeting"',
            'start = "hello"',
            'start: there is no step "hello"; the flow has greeting, menu, english',
        ),
        ('1 = "orders"', '1 = "order"', 'steps.menu.keys.1: there is no step "order"; did you mean "orders"?'),
        (
            '"*" = "english"',
            '"*" = "englis"',
            'steps.menu.keys."*": there is no step "englis"; did you mean "english"?',
        ),
        ('otherwise = "operator"', 'otherwise = "nobody"', 'steps.menu.otherwise: there is no step "nobody"'),
        (
            "cases = { en",
            'cases = { kk = "menu", en',
            "steps.menu-again.cases.kk: expected a language of prompts.toml (ru, en)",
        ),
        ('{ en = "menu-english" }', '{ en = "menu-rus" }', 'steps.menu-again.cases.en: there is no step "menu-rus"'),
        (
            'variable = "language"',
            'variable = "lang"',
            "steps.menu-again.variable: variable lang is set nowhere in the flow",
        ),
        (
            'language = "en"',
            'language = "de"',
            'steps.english.language: expected a language of prompts.toml (ru, en), got "de"',
        ),
        (
            'queue = "orders"',
            'queue = "order"',
            'steps.orders.queue: there is no queue "order"; did you mean "orders"?',
        ),
        (
            "{ english = 2 }",
            "{ english = 10 }",
            "steps.orders-english.skills: no operator of queue orders has the skills it takes (orders at 1, english at 10): "
            "nearest is 1001, who needs english at 10, has level 7",
        ),
        (
            "{ english = 2 }",
            "{ german = 2 }",
            "steps.orders-english.skills: no operator of queue orders has the skills it takes (orders at 1, german at 2): "
            "nearest is 1001, who needs german at 2, has not the skill",
        ),
        (
            'otherwise = "voicemail"\n',
            "",
            "steps.orders.otherwise: is missing: expected the step to go to after max_wait_s",
        ),
        (
            "max_wait_s = 900                # after a quarter of an hour the caller may leave a message instead\n",
            "",
            "steps.orders.max_wait_s: is missing: expected the wait after which `otherwise` follows",
        ),
        (
            '"nordlis-greeting"',
            '"nordlis-greting"',
            'greeting.prompts[0]: there is no prompt "nordlis-greting" in prompts.toml; did',
        ),
        (
            'invalid = "invalid-key"',
            'invalid = "oops"',
            'steps.menu.invalid: there is no prompt "oops" in prompts.toml',
        ),
        (
            'silence = "no-input"',
            'silence = "silence"',
            'steps.menu.silence: there is no prompt "silence" in prompts.toml',
        ),
        (
            '["all-busy-please-wait"]',
            '["all-busy"]',
            'steps.orders.announce[0]: there is no prompt "all-busy" in prompts.toml',
        ),
        (
            '"voicemail-intro"',
            '"voicemail"',
            'steps.voicemail.prompts[0]: there is no prompt "voicemail" in prompts.toml',
        ),
        ('"goodbye"]', '"bye"]', 'steps.goodbye.prompts[1]: there is no prompt "bye" in prompts.toml'),
    ],
)
def test_a_fault_is_told_with_its_line_and_field(site: Site, old: str, new: str, said: str) -> None:
    line = site.change("nordlis.toml", old, new)
    complaints = site.complaints()
    assert len(complaints) == 1, complaints
    (file, number), told = complaints[0].split(": ")[0].split(":"), complaints[0]
    assert file == "nordlis.toml"
    assert said in told
    assert abs(int(number) - line) <= 5, "told far from the fault"


def test_a_menu_that_asks_a_silent_caller_for_ever_is_refused(site: Site) -> None:
    site.change("nordlis.toml", 'otherwise = "operator"', 'otherwise = "hours"')
    assert site.complaints() == [
        "nordlis.toml:15: steps.menu: a caller who presses nothing goes round for ever: menu → hours → menu-again → menu; "
        "one way out of it must lead to a queue or a hangup"
    ]


def test_a_step_that_leads_to_itself_is_refused_even_where_only_a_key_leads_to_it(site: Site) -> None:
    line = site.change("nordlis.toml", 'next = "menu-again"', 'next = "hours"')
    (complaint,) = site.complaints()
    assert complaint.startswith(
        f"nordlis.toml:{line - 3}: steps.hours: a caller who presses nothing goes round for ever: hours → hours;"
    )


def test_steps_that_pass_a_caller_round_in_no_time_are_refused(site: Site) -> None:
    line = with_steps(
        site,
        '[steps.a]\ndo = "set"\nvariables = { x = "1" }\nnext = "b"\n'
        '[steps.b]\ndo = "branch"\nvariable = "x"\ncases = { 1 = "a" }\notherwise = "menu"\n',
        first="a",
    )
    assert site.complaints() == [
        f"nordlis.toml:{line}: steps.a: steps that wait for nobody lead to each other for ever: a → b → a"
    ]


def test_a_second_chance_that_a_variable_counts_is_no_circle(site: Site) -> None:
    site.change("nordlis.toml", 'otherwise = "operator"', 'otherwise = "tried"')
    site.append(
        "nordlis.toml",
        '[steps.tried]\ndo = "branch"\nvariable = "tries"\ncases = { 1 = "operator" }\notherwise = "try"\n'
        '[steps.try]\ndo = "set"\nvariables = { tries = "1" }\nnext = "menu"\n',
    )
    assert site.warnings() == []


def test_waiting_again_after_a_question_is_no_circle(site: Site) -> None:
    site.change("nordlis.toml", 'otherwise = "voicemail"', 'otherwise = "menu"')
    assert site.warnings() == []


def test_a_step_that_nobody_can_come_to_is_a_warning(site: Site) -> None:
    line = site.append("nordlis.toml", '[steps.lost]\ndo = "hangup"\n')
    assert site.warnings() == [f"nordlis.toml:{line}: steps.lost: warning: no caller can ever come to this step"]


def test_a_branch_that_no_caller_takes_makes_its_step_unreachable(site: Site) -> None:
    with_steps(
        site,
        '[steps.which]\ndo = "branch"\nvariable = "line"\ncases = { 88007004666 = "other" }\notherwise = "menu"\n'
        '[steps.other]\ndo = "hangup"\n',
        first="which",
    )
    (warning,) = site.warnings()
    assert warning.endswith("steps.other: warning: no caller can ever come to this step")


def test_a_branch_on_a_line_that_is_none_is_refused(site: Site) -> None:
    line = with_steps(
        site,
        '[steps.which]\ndo = "branch"\nvariable = "line"\ncases = { 88007007777 = "menu" }\notherwise = "menu"\n',
        first="which",
    )
    (complaint,) = site.complaints()
    assert complaint.startswith(
        f'nordlis.toml:{line + 3}: steps.which.cases.88007007777: there is no line "88007007777"; did you'
    )


def test_a_flow_that_no_line_uses_is_a_warning_and_is_still_checked(site: Site) -> None:
    site.append("spare.toml", 'start = "bye"\n[steps.bye]\ndo = "hangup"\nprompts = ["nothing"]\n')
    assert site.complaints() == ['spare.toml:4: steps.bye.prompts[0]: there is no prompt "nothing" in prompts.toml']
    site.change("spare.toml", "nothing", "goodbye")
    assert site.warnings() == ["spare.toml:1: warning: no line uses the flow spare"]


def test_a_prompt_must_speak_every_language_in_which_a_caller_comes_to_it(site: Site) -> None:
    site.change("prompts.toml", "[goodbye]", '[goodbye-en]\nen = "Bye!"\n\n[goodbye]')
    line = site.change("nordlis.toml", '"goodbye"]', '"goodbye-en"]')
    assert site.complaints() == [
        f'nordlis.toml:{line}: steps.goodbye.prompts[1]: prompt "goodbye-en" has no text in language "ru"'
    ]
    site.change("nordlis.toml", '"goodbye-en"]', '"goodbye"]')
    site.change("nordlis.toml", 'prompts = ["nordlis-menu"]', 'prompts = ["goodbye-en"]')
    assert site.warnings() == []


COLLECT = """\
[steps.order]
do = "collect"
prompts = ["no-input"]
variable = "order"
min_digits = 4
max_digits = 8
next = "repeat"
otherwise = "operator"

[steps.repeat]
do = "say"
prompts = ["digits:{order}", "number:12", "digits:{ani}"]
next = "menu"
"""


@pytest.mark.parametrize(
    ("old", "new", "field", "said"),
    [
        ("min_digits = 4", "min_digits = 9", "min_digits", "expected at most max_digits (8), got 9"),
        ('variable = "order"', 'variable = "ani"', "variable", "ani is the server's own: choose another name"),
        ('variable = "order"', 'variable = "Order"', "variable", "expected a variable: at most 40 small Latin letters"),
        ("max_digits = 8", 'terminator = "0"', "terminator", 'expected one of "", "#", "*", got "0"'),
        ("max_digits = 8", "secret = true", "prompts[0]", "variable order is secret: it must not be spoken"),
        (
            "digits:{order}",
            "digits:{ordre}",
            "prompts[0]",
            'variable ordre is set nowhere in the flow; did you mean "order"?',
        ),
    ],
)
def test_faults_of_collected_digits_are_told(site: Site, old: str, new: str, field: str, said: str) -> None:
    with_steps(site, COLLECT, first="order")
    assert site.warnings() == []
    site.change("nordlis.toml", old, new)
    complaints = site.complaints()
    assert any(f".{field}: {said}" in complaint for complaint in complaints), complaints


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ('{ line = "x" }', "variables.line: line is the server's own: choose another name"),
        ('{ language = "en" }', "variables.language: language is the server's own; set `language` of the step instead"),
        ('{ x = "{ani}" }', 'variables.x: expected a plain text, got "{ani}": variables are filled in only where'),
        ('{ "x y" = "1" }', 'variables."x y": expected a variable'),
        ("{ x = 1 }", "variables.x: expected a text of at most 200 characters, got 1"),
    ],
)
def test_faults_of_set_variables_are_told(site: Site, variables: str, said: str) -> None:
    line = with_steps(site, f'[steps.a]\ndo = "set"\nvariables = {variables}\nnext = "menu"\n', first="a")
    complaints = site.complaints()
    assert any(complaint.startswith(f"nordlis.toml:{line + 2}: steps.a.{said}") for complaint in complaints), complaints


def test_a_set_step_that_sets_nothing_is_a_warning(site: Site) -> None:
    line = with_steps(site, '[steps.a]\ndo = "set"\nnext = "menu"\n', first="a")
    assert site.warnings() == [f"nordlis.toml:{line}: steps.a: warning: sets neither variables nor a language"]


def test_a_flow_with_branches_without_end_is_checked_so_far_and_says_so(site: Site) -> None:
    steps = ""
    for n in range(16):
        steps += f'[steps.b{n}]\ndo = "collect"\nprompts = ["goodbye"]\nvariable = "v{n}"\nnext = "c{n}"\notherwise = "c{n}"\n'
        steps += (
            f'[steps.c{n}]\ndo = "branch"\nvariable = "v{n}"\ncases = {{ 1 = "b{n + 1}" }}\notherwise = "b{n + 1}"\n'
        )
    steps += '[steps.b16]\ndo = "hangup"\n'
    with_steps(site, steps, first="b0")
    said = "the flow has too many branches to be checked in full"
    (warning,) = (warning for warning in site.warnings() if "decides nothing" not in warning)
    assert warning.startswith("nordlis.toml:") and warning.endswith(said)


def test_circles_that_touch_are_told_as_one_and_others_apart() -> None:
    graph = {"a": ("b",), "b": ("a", "c"), "c": ("c",), "d": ("a",), "e": ()}
    assert set(circles(graph)) == {("a", "b"), ("c",)}
