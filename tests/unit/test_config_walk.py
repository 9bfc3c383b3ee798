"""`ccserver check --call NUMBER --keys …`: one journey, told as it would happen."""

from pathlib import Path

import pytest

from ccserver.config.errors import QuestionError
from ccserver.config.walk import walk_call
from tests.config_site import Site

LINE, NIGHT = "88007707999", "2026-12-31T23:50"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def told(site: Site, keys: str, at: str = NIGHT) -> list[str]:
    """What happens, without the opening and the clock."""
    story = walk_call(site.load(), LINE, at, keys).splitlines()
    return [line[6:].strip() for line in story[story.index("") + 1 :]]


def test_a_key_leads_to_its_queue_and_who_could_take_the_call_is_named(site: Site) -> None:
    story = told(site, "2")
    assert story[0].startswith("greeting: hears “Здравствуйте!")
    assert [line.split(": ")[0] for line in story if ": hears" in line] == ["greeting", "menu"]
    begins = story.index("presses 2")
    assert story[begins + 1].startswith("service: Waits in queue service (Сервисный центр)")
    assert story[begins + 2].startswith("10 could take it when ready: 1001 ")
    assert story[-1] == "Nobody within 900 s: voicemail."


def test_a_key_that_leads_nowhere_says_so_and_the_rest_of_the_keys_is_pressed_at_the_next_question(site: Site) -> None:
    story = told(site, "7,1")
    wrong = story.index("presses 7, which leads nowhere: the menu has 1, 2, 3, 0, *")
    assert story[wrong + 1].startswith("menu: hears “Данная опция недоступна.")
    assert story[story.index("presses 1") + 1].startswith("orders: Waits in queue orders")


def test_who_presses_nothing_is_asked_again_and_led_to_an_operator(site: Site) -> None:
    story = told(site, "")
    assert story.count("presses nothing for 5 s") == 3
    assert story[story.index("presses nothing for 5 s") + 1].startswith("menu: hears “Извините,")
    assert any(line.startswith("operator: Waits in queue orders") for line in story)


def test_another_language_is_heard_from_there_on(site: Site) -> None:
    story = told(site, "*,3,0")
    assert "is spoken to in en from here on" in story
    assert any(line.startswith("hours: hears “We are open every day") for line in story)
    assert 'menu-again: language is "en"' in story
    assert any(line.startswith("operator-english: Waits in queue orders") for line in story)


def test_keys_that_nobody_asked_for_are_told(site: Site) -> None:
    assert told(site, "1,5,12")[-1].endswith("Nobody asked for the rest of his keys: 5, then 12.".lstrip())
    assert told(site, "15")[-1].endswith("Nobody asked for the rest of his keys: 5.")


def test_after_a_talk_the_line_asks_how_it_was_unless_the_queue_does(site: Site) -> None:
    assert told(site, "2,talk")[-1] == "is hung up on: nobody asks how it was. The end."
    site.survey("lines")
    story = told(site, "2,talk,7,4")
    assert "talks with an operator, who hangs up" in story
    asked = story.index("presses 7: no mark from 1 to 5")
    assert story[asked + 1].startswith("satisfaction.rate: hears")
    assert "presses 4: a mark, as score" in story[asked:]
    assert story[-1] == "satisfaction.thanks: is hung up on. The end."


def order(site: Site, **fields: str) -> None:
    """A question for a number before the menu, whose answer is said."""
    site.change("nordlis.toml", 'next = "menu"', 'next = "order"')
    more = "".join(f"{name} = {value}\n" for name, value in fields.items())
    site.append(
        "nordlis.toml",
        f'[steps.order]\ndo = "collect"\nprompts = ["no-input"]\nvariable = "order"\nmin_digits = 3\nnext = "known"\n'
        f'otherwise = "operator"\n{more}[steps.known]\ndo = "branch"\nvariable = "order"\ncases = {{ 12345 = "bye" }}\n'
        'otherwise = "menu"\n[steps.bye]\ndo = "hangup"\nprompts = ["digits:{order}"]\n',
    )


def test_digits_are_collected_until_the_terminator_or_until_he_stops(site: Site) -> None:
    order(site)
    story = told(site, "12345#")
    assert story.count("presses 1, a digit of order") == 1
    assert "presses # (hash), which ends the number" in story
    assert story[-3:] == ['known: order is "12345"', "bye: hears 12345 digit by digit.", "bye: is hung up on. The end."]
    story = told(site, "678,1")
    assert "presses nothing more for 3 s" in story
    assert any(line.startswith("orders: Waits") for line in story)


def test_too_few_digits_and_what_is_no_digit_are_asked_again(site: Site) -> None:
    order(site, invalid='"invalid-key"')
    for keys in ("1#", "*"):
        story = told(site, f"{keys},12345#")
        assert any(line.startswith("order: hears “Данная опция") for line in story), keys
        assert story[-1] == "bye: is hung up on. The end."


def test_time_passes_so_a_calendar_may_close_on_the_way(site: Site) -> None:
    site.with_calendar()
    site.change("nordlis.toml", 'next = "menu"', 'next = "now"')
    site.append(
        "nordlis.toml",
        '[steps.now]\ndo = "branch"\ncalendar = "shop"\ncases = { open = "menu" }\notherwise = "closed"\n'
        '[steps.closed]\ndo = "hangup"\nprompts = ["line-closed"]\n',
    )
    assert any(line.startswith("menu: hears") for line in told(site, "", "2027-01-01T04:59"))
    story = told(site, "", "2027-01-01T04:59:58")
    assert any(line.startswith("now: the calendar shop is closed") for line in story)
    assert story[-1] == "closed: is hung up on. The end."


def test_a_message_is_spoken_and_then_the_flow_goes_on(site: Site) -> None:
    site.change("nordlis.toml", '3 = "hours"', '3 = "voicemail"')
    story = told(site, "3")
    assert "voicemail: hears a beep and speaks" in story
    assert "has spoken for 120 s, the most there is; # or 5 s of silence would have ended it" in story
    assert story[-1] == "goodbye: is hung up on. The end."


@pytest.mark.parametrize(
    ("keys", "got"), [("1,,2", "nothing between"), ("one", '"one"'), ("1 2", '"1 2"'), ("A", '"A"')]
)
def test_keys_that_no_phone_has_are_told(site: Site, keys: str, got: str) -> None:
    with pytest.raises(QuestionError, match=got):
        walk_call(site.load(), LINE, NIGHT, keys)
