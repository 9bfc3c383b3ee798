"""What `ccserver check --diff` says: every kind of change in the words of the files, and which of them need a restart."""

from pathlib import Path

import pytest

from ccserver.config.diff import NEW_JOURNAL, RENDER, RESTART, TRUNKS, differences
from ccserver.config.load import Config
from ccserver.config.running import encoded, read_running, running_of, running_path
from tests.config_site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.with_calendar()
    return made


def told(before: Config, after: Config) -> list[str]:
    return list(map(str, differences(before.plan, running_of(before), after.plan, running_of(after))))


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("ccserver.toml", "ring_timeout_s = 20", "ring_timeout_s = 25", "queues.orders.ring_timeout_s: 20 -> 25"),
        ("ccserver.toml", 'title = "Заказы"', 'title = "Все заказы"', 'queues.orders.title: Заказы -> "Все заказы"'),
        ("ccserver.toml", "wrap_up_s = 5", "wrap_up_s = 5\nrecord = false", "queues.orders.record: not set -> never"),
        ("ccserver.toml", "orders = 8, service = 5", "orders = 9, service = 5", "operators.1001.skills.orders: 8 -> 9"),
        ("ccserver.toml", "english = 7 }", "english = 7, chess = 2 }", "operators.1001.skills.chess: new (2)"),
        (
            "ccserver.toml",
            'queues = ["orders", "service"]',
            'queues = ["orders"]',
            "operators.1001.queues: orders, service -> orders",
        ),
        ("ccserver.toml", '"10:00-05:00"', '"10:00-24:00"', "calendars.shop.week.mon: 10:00-05:00 -> 10:00-24:00"),
        ("ccserver.toml", "days = {}", 'days = { 01-01 = "closed" }', "calendars.shop.days.01-01: new (closed)"),
        (
            "ccserver.toml",
            'name = "Нордлис"',
            'name = "Нордлис"\ncaller_id = "+74951234567"',
            "lines.88007707999.caller_id: not set -> ",
        ),
        ("ccserver.toml", "refused_pause_s = 10", "refused_pause_s = 12.5", "rules.refused_pause_s: 10 -> 12.5"),
        ("ccserver.toml", '5 = "other"', '5 = "errand"', "rules.not_ready_reasons.5: other -> errand"),
        (
            "nordlis.toml",
            '3 = "hours"',
            '3 = "hours", 4 = "orders"',
            "flows.nordlis.steps.menu.keys.4: new (goes to orders)",
        ),
        ("nordlis.toml", '3 = "hours", ', "", "flows.nordlis.steps.menu.keys.3: removed (goes to hours)"),
        (
            "nordlis.toml",
            '"*" = "english"',
            '"#" = "english"',
            'flows.nordlis.steps.menu.keys."#": new (goes to english)',
        ),
        (
            "nordlis.toml",
            ', "recording-notice"]',
            "]",
            "steps.greeting.prompts: nordlis-greeting, recording-notice -> nordlis-greeting",
        ),
        ("nordlis.toml", "max_wait_s = 900 ", "max_wait_s = 60 ", "flows.nordlis.steps.orders.max_wait_s: 900 -> 60"),
        (
            "nordlis.toml",
            'do = "hangup"\nprompts = ["voicemail-thanks", "goodbye"]',
            'do = "say"\nprompts = ["goodbye"]\nnext = "operator"',
            "flows.nordlis.steps.goodbye: hangup -> say, goes to operator",
        ),
        ("prompts.toml", "Здравствуйте! Вы", "Алло! Вы", "prompts.nordlis-greeting.ru: "),
    ],
)
def test_a_change_is_told_by_the_name_of_what_changed(site: Site, file: str, old: str, new: str, said: str) -> None:
    before = site.load()
    site.change(file, old, new)
    changes = told(before, site.load())
    assert any(said in change for change in changes), changes
    assert not any("needs a restart" in change for change in changes)


def test_what_is_new_and_what_is_gone_is_told_once_and_not_field_by_field(site: Site) -> None:
    before = site.load()
    site.append(
        "ccserver.toml",
        '[[operators]]\nextension = "1011"\nname = "Светлана Ким"\nqueues = ["orders"]\nskills = { orders = 3 }\n',
    )
    site.append("nordlis.toml", '[steps.sale]\ndo = "say"\nprompts = ["goodbye"]\nnext = "menu"\n')
    after = site.load()
    assert told(before, after) == [
        "operators.1011: new (Светлана Ким)",
        "flows.nordlis.steps.sale: new (say, goes to menu)",
    ]
    assert told(after, before) == [
        "operators.1011: removed (Светлана Ким)",
        "flows.nordlis.steps.sale: removed (say, goes to menu)",
    ]


def test_the_same_in_another_order_is_no_change(site: Site) -> None:
    before = site.load()
    assert told(before, site.load()) == []
    text = site.file("ccserver.toml").read_text()
    first, second = text.index('[[operators]]\nextension = "1001"'), text.index('[[operators]]\nextension = "1002"')
    site.file("ccserver.toml").write_text(text[:first] + text[second:] + "\n" + text[first:second])
    assert told(before, site.load()) == []


@pytest.mark.parametrize(
    ("old", "new", "field", "remedy"),
    [
        ("sip_port = 5060", "sip_port = 5070", "asterisk.sip_port: 5060 -> 5070", RENDER),
        ("port = 8080", "port = 8081", "api.port: 8080 -> 8081", RESTART),
        ("[api]", "[limits]\ninbox_events = 500\n[api]", "limits.inbox_events: 10000 -> 500", RESTART),
        ("[api]", '[recordings]\ndirectory = "talks"\n[api]', "recordings.directory: ", RESTART),
        ("refused_pause_s = 10", 'region = "KZ"', "rules.region: RU -> KZ", RESTART),
        ('name = "cc1"', 'name = "cc2"', "node.name: cc1 -> cc2", NEW_JOURNAL),
    ],
)
def test_what_a_reload_cannot_change_says_what_to_do_instead(
    site: Site, old: str, new: str, field: str, remedy: str
) -> None:
    before = site.load()
    site.change("ccserver.toml", old, new)
    (change,) = told(before, site.load())
    assert change.startswith(field)
    assert change.endswith(f"(needs a restart: {remedy})")


def test_the_password_of_the_store_is_never_told(site: Site) -> None:
    before = site.load()
    site.change("ccserver.toml", "[api]", '[store]\nurl = "postgresql://cc:topsecret@db/cc"\n[api]')
    after = site.load()
    assert told(before, after) == [f"store.url: another value (needs a restart: {RESTART})"]
    assert b"topsecret" not in encoded(running_of(after))


def test_what_runs_is_read_back_as_it_was_written_and_nothing_is_made_of_rubbish(site: Site, tmp_path: Path) -> None:
    running = running_of(site.load())
    assert read_running(tmp_path) is None
    running_path(tmp_path).write_bytes(encoded(running))
    assert read_running(tmp_path) == running
    running_path(tmp_path).write_text("{")
    assert read_running(tmp_path) is None


def test_of_what_is_not_known_nothing_is_said(site: Site) -> None:
    before = site.load()
    site.change("ccserver.toml", "port = 8080", "port = 8081")
    site.change("ccserver.toml", "ring_timeout_s = 20", "ring_timeout_s = 25")
    after = site.load()
    assert [change.field for change in differences(before.plan, None, after.plan, running_of(after))] == [
        "queues.orders.ring_timeout_s"
    ]


TRUNK = """
[[trunks]]
name = "mtt"
title = "MTT"
host = "192.0.2.5"
user = "cc"
password = "topsecret"
register = true
priority = 1
"""


def test_a_trunk_is_told_of_once_and_its_password_never(site: Site) -> None:
    site.append("ccserver.toml", TRUNK)
    before = site.load()
    site.change("ccserver.toml", "priority = 1\n", "priority = 2\n")
    assert told(before, site.load()) == [f"trunks.mtt.priority: 1 -> 2 (needs a restart: {TRUNKS})"]
    site.change("ccserver.toml", "topsecret", "topsecreter")
    changes = told(before, site.load())
    assert f"trunks.mtt.password: another value (needs a restart: {TRUNKS})" in changes
    assert not any("topsecret" in change for change in changes)
    assert b"topsecret" not in encoded(running_of(site.load()))


def test_the_encryption_of_a_phone_needs_no_restart(site: Site) -> None:
    site.change("ccserver.toml", "[api]", "[sip]\ntls_port = 5061\n[api]")
    before = site.load()
    site.change("ccserver.toml", 'name = "Анна Соколова"', 'name = "Анна Соколова"\nencryption = "required"')
    (change,) = told(before, site.load())
    assert change.startswith("operators.1001.encryption: ") and change.endswith(" -> required")
