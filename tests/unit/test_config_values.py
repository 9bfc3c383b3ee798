"""One wrong value after another in ccserver.toml and in a flow: file, line, field, what was expected, what was found."""

import re
from pathlib import Path

import pytest

from tests.config_site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        # [node]
        (
            'name = "cc1"',
            'name = "CC 1"',
            "node.name: expected at most 20 small Latin letters and digits, beginning with ",
        ),
        # [asterisk]
        ("http_port = 8088", "http_port = 0", "asterisk.http_port: expected a port from 1 to 65535, got 0"),
        ("http_port = 8088", "http_port = 65536", "asterisk.http_port: expected a port from 1 to 65535, got 65536"),
        ("ami_port = 5038", 'ami_port = "5038"', 'asterisk.ami_port: expected a port from 1 to 65535, got "5038"'),
        ("ami_port = 5038", "ami_port = 5038.0", "asterisk.ami_port: expected a port from 1 to 65535, got 5038.0"),
        ("ami_port = 5038", "ami_port = true", "asterisk.ami_port: expected a port from 1 to 65535, got true"),
        ("ami_port = 5038", "ami_port = 8088", "asterisk.ami_port: port 8088 is taken already by asterisk.http_port"),
        ("port = 8080", "port = 5060", "api.port: port 5060 is taken already by asterisk.sip_port"),
        (
            "sip_port = 5060",
            "sip_port = 10002",
            "asterisk.sip_port: port 10002 lies among the ports for sound (10000 to 19999)",
        ),
        ("rtp_end = 19999", "rtp_end = 10001", "asterisk.rtp_end: expected at least rtp_start + 3 (10003), got 10001"),
        (
            'sip_address = "127.0.0.1"',
            'sip_address = "localhost"',
            'asterisk.sip_address: expected an IP address in quotes, like "127.0.0.1", got "localhost"',
        ),
        (
            'address = "127.0.0.1"           #',
            'address = "1.2.3.400" #',
            "api.address: expected an IP address in quotes",
        ),
        ("http_port = 8088", "htp_port = 8088", 'asterisk.htp_port: unknown key; did you mean "http_port"?'),
        ("http_port = 8088", "xyz = 8088", "asterisk.xyz: unknown key; known here: http_port, ami_port, sip_address, "),
        ("[asterisk]", "[asterix]", 'asterix: unknown key; did you mean "asterisk"?'),
        # [rules]
        (
            "refused_pause_s = 10",
            "refused_pause_s = -1",
            "rules.refused_pause_s: expected seconds from 0 to 86400, got -1",
        ),
        (
            "refused_pause_s = 10",
            "refused_pause_s = inf",
            "rules.refused_pause_s: expected seconds from 0 to 86400, got inf",
        ),
        (
            "refused_pause_s = 10",
            "refused_pause_s = nan",
            "rules.refused_pause_s: expected seconds from 0 to 86400, got nan",
        ),
        (
            "unreachable_retry_s = 30",
            'unreachable_retry_s = "30 s"',
            'rules.unreachable_retry_s: expected seconds above 0, at most 86400, got "30 s"',
        ),
        (
            '1 = "break"',
            '10 = "break"',
            'rules.not_ready_reasons.10: expected the digit after *12, from 1 to 9, got "10"',
        ),
        ('1 = "break"', '1 = "rona"', 'rules.not_ready_reasons.1: "rona" is a reason that the server itself gives'),
        ('2 = "lunch"', '2 = "break"', 'rules.not_ready_reasons.2: "break" stands on 1 already'),
        ('1 = "break"', '6 = "break"', 'rules.not_ready_reasons.6: there is no prompt "reason-6" in prompts.toml'),
        # [[queues]]
        (
            "wrap_up_s = 5",
            'wrap_up_s = 5\ntell_every_s = 60\nmessages = ["web-site"]',
            'queues[0].tell_every_s: there is no prompt "web-site" in prompts.toml; who waits in the queue is told it',
        ),
        (
            "wrap_up_s = 5",
            'wrap_up_s = 5\ntell = ["place"]',
            'queues[0].tell[0]: expected one of "position", "wait", got "place"',
        ),
        # [[lines]]
        (
            'number = "88007707999"',
            "number = 88007707999",
            'lines[0].number: expected 3 to 15 digits in quotes, like "88007707999", got 88007707999',
        ),
        ('number = "88007707999"', 'number = "8 800 770 79 99"', "lines[0].number: expected 3 to 15 digits in quotes"),
        ('number = "88007707999"', 'number = "٨٨٠٠٧٧٠٧٩٩٩"', "lines[0].number: expected 3 to 15 digits in quotes"),
        ('number = "88007707999"', 'number = "88007707999\\n"', "lines[0].number: expected 3 to 15 digits in quotes"),
        (
            'number = "88007004666"',
            'number = "88007707999"',
            'lines[1].number: "88007707999" is taken already by lines[0] on line',
        ),
        ('number = "88007707999"', 'number = "1001"', 'lines[0].number: "1001" is the extension of an operator too'),
        (
            'name = "Нордлис"',
            'name = ""',
            'lines[0].name: expected a text of at most 80 characters on one line, got ""',
        ),
        (
            'name = "Нордлис"',
            'name = "a\\nb"',
            'lines[0].name: expected a text of at most 80 characters on one line, got "a\\nb"',
        ),
        ('flow = "nordlis"', 'flow = "nordlys"', 'lines[0].flow: there is no flow "nordlys"; did you mean "nordlis"?'),
        ('flow = "nordlis"', 'flow = "xx"', 'lines[0].flow: there is no flow "xx"; the directory has nordlis, velmira'),
        (
            'timezone = "Europe/Moscow"',
            'timezone = "Europe/Moskow"',
            'lines[0].timezone: expected a time zone like "Europe/Moscow", got "Europe/Moskow"; did you mean "Europe/Moscow"?',
        ),
        (
            'timezone = "Europe/Moscow"',
            'timezone = "Europe"',
            'lines[0].timezone: expected a time zone like "Europe/Moscow"',
        ),
        (
            'timezone = "Europe/Moscow"',
            'timezone = "../../etc"',
            'lines[0].timezone: expected a time zone like "Europe/Mos',
        ),
        (
            'timezone = "Europe/Moscow"',
            'timezone = ""',
            'lines[0].timezone: expected a time zone like "Europe/Moscow", got ""',
        ),
        (
            'day_starts_at = "05:00"',
            'day_starts_at = "24:00"',
            'lines[0].day_starts_at: expected a time of day in quotes, like "05:00", got "24:00"',
        ),
        ('day_starts_at = "05:00"', "day_starts_at = 05:00:00", 'in quotes, like "05:00", got the time 05:00:00'),
        # [[queues]]
        (
            'name = "orders"',
            'name = "new orders"',
            "queues[0].name: expected a name of at most 40 Latin letters, digits, - or _",
        ),
        ('name = "service"', 'name = "orders"', 'queues[1].name: "orders" is taken already by queues[0] on line'),
        (
            "skills = { orders = 1 }",
            "skills = { orders = 0 }",
            "queues[0].skills.orders: expected a level from 1 to 10, got 0",
        ),
        ("skills = { orders = 1 }", 'skills = ["orders"]', "queues[0].skills: expected a table, got an array"),
        ("target_s = 20", "target_s = 0", "queues[0].target_s: expected seconds above 0, at most 86400, got 0"),
        (
            "ring_timeout_s = 20",
            "ring_timeout_s = 4",
            "queues[0].ring_timeout_s: expected at least reach_timeout_s (5), got 4",
        ),
        (
            "ring_timeout_s = 20",
            "ring_timeout_s = 1e9",
            "queues[0].ring_timeout_s: expected seconds above 0, at most 600, got ",
        ),
        (
            "ring_timeout_s = 20",
            'ring_timeout_s = 20\npick = "most_idle"',
            'queues[0].pick: expected one of "fewest_contacts", "longest_idle", "most_idle_today", "most_skilled", got',
        ),
        (
            "wrap_up_s = 5",
            'wrap_up_s = 5\nrecord = "yes"',
            'queues[0].record: expected "always", "on_demand" or "never"',
        ),
        # [[operators]]
        (
            'extension = "1001"',
            'extension = "10"',
            'operators[0].extension: expected 3 to 6 digits in quotes, like "1001", got "10"',
        ),
        (
            'extension = "1002"',
            'extension = "1001"',
            'operators[1].extension: "1001" is taken already by operators[0] on line',
        ),
        ('extension = "1002"\n', "", "operators[1].extension: is missing: expected 3 to 6 digits in quotes"),
        ("english = 7", "english = 11", "operators[0].skills.english: expected a level from 1 to 10, got 11"),
        ("english = 7", "english = 7.5", "operators[0].skills.english: expected a level from 1 to 10, got 7.5"),
        (
            "[asterisk]",
            "[asterisk]\nqualify_s = -1",
            "asterisk.qualify_s: expected whole seconds from 0 (never) to 3600, got -1",
        ),
        (
            'extension = "1001"',
            'extension = "1001"\nlanguage = "de"',
            "operators[0].language: expected a language of prompts.toml",
        ),
        ('queues = ["orders", "service"]', 'queues = "orders"', 'operators[0].queues: expected an array, got "orders"'),
        (
            'queues = ["orders", "service"]',
            'queues = ["oders"]',
            'operators[0].queues[0]: there is no queue "oders"; did you mean ',
        ),
        (
            'queues = ["orders", "service"]',
            'queues = ["orders", "orders"]',
            'operators[0].queues[1]: "orders" is named twice',
        ),
    ],
)
def test_a_wrong_value_is_told_with_its_line_and_field(site: Site, old: str, new: str, said: str) -> None:
    site.change("ccserver.toml", old, new)
    complaints = site.complaints()
    assert any(re.match(rf"ccserver\.toml:\d+: .*{re.escape(said)}", line) for line in complaints), complaints


def test_the_line_is_that_of_the_value_itself(site: Site) -> None:
    line = site.change("ccserver.toml", "english = 3 }", "english = 11 }")
    assert site.complaints() == [
        f"ccserver.toml:{line}: operators[3].skills.english: expected a level from 1 to 10, got 11"
    ]


def test_a_language_that_nobody_speaks_is_told_once(site: Site) -> None:
    line = site.change("ccserver.toml", 'language = "ru"', 'language = "rus"')
    assert site.complaints() == [
        f'ccserver.toml:{line}: lines[0].language: expected a language of prompts.toml (ru, en), got "rus"'
    ]


def test_the_line_of_what_is_missing_is_that_of_its_table(site: Site) -> None:
    line = site.change("ccserver.toml", 'extension = "1002"\n', "") - 1
    assert site.complaints()[0].startswith(f"ccserver.toml:{line}: operators[1].extension: is missing")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://u:hush@h/d", 'got one that begins with "mysql"'),
        ("store.sqlite", 'got one that begins with ""'),
        ("sqlite://", "got one without a path"),
        ("sqlite://store.sqlite", "three slashes before the path"),
        ("postgresql://u:hush@h", "got one without a database"),
        ("postgresql://u:hush@h:x/d", "got one that is no url"),
        ("postgresql://u:hush@[h/d", "got one that is no url"),
    ],
)
def test_a_store_that_cannot_be_is_told_without_its_password(site: Site, url: str, said: str) -> None:
    line = site.append("ccserver.toml", f'[store]\nurl = "{url}"\n') + 1
    (complaint,) = site.complaints()
    assert complaint.startswith(f"ccserver.toml:{line}: store.url: expected sqlite:///<path> or postgresql://")
    assert complaint.endswith(said) or said in complaint
    assert "hush" not in complaint


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('start = "greeting"', 'begin = "greeting"', "begin: unknown key; known here: start, steps"),
        ('start = "greeting"', "", "start: is missing: expected a name"),
        ('do = "say"', "", "steps.greeting.do: is missing: expected one of say, menu, listen, rate, collect"),
        (
            'do = "say"',
            'do = "says"',
            "steps.greeting.do: expected one of say, menu, listen, rate, collect, answer, set, branch, ",
        ),
        ('do = "say"', "do = 5", "steps.greeting.do: expected one of say, menu"),
        ('do = "say"', 'do = "menu"', "steps.greeting.next: unknown key; known here: prompts, keys, otherwise"),
        (
            'prompts = ["nordlis-greeting"',
            'prompt = ["x"',
            'steps.greeting.prompt: unknown key; did you mean "prompts"?',
        ),
        (
            'prompts = ["nordlis-greeting", "recording-notice"]',
            "prompts = []",
            "steps.greeting.prompts: expected an array of at least one prompt, got an empty array",
        ),
        (
            '["nordlis-greeting"',
            '["nordlis greeting"',
            "steps.greeting.prompts[0]: expected the name of a prompt, or digits:, number:, money:",
        ),
        ('["nordlis-greeting"', '["digits:"', "steps.greeting.prompts[0]: expected the name of a prompt"),
        ('["nordlis-greeting"', '["number:12a"', "steps.greeting.prompts[0]: expected the name of a prompt"),
        ('["nordlis-greeting"', '["greeting-{line}"', "steps.greeting.prompts[0]: expected the name of a prompt"),
        ('"*" = "english"', 'A = "english"', 'steps.menu.keys.A: expected a key of the phone: 0 to 9, * or #, got "A"'),
        ('"*" = "english"', '"*" = 1', 'steps.menu.keys."*": expected a name of at most 40'),
        ("timeout_s = 5", "timeout_s = 0", "steps.menu.timeout_s: expected seconds above 0, at most 120, got 0"),
        ("retries = 2", "retries = -1", "steps.menu.retries: expected a whole number from 0 to 20, got -1"),
        (
            "max_wait_s = 900",
            "max_wait_s = 0",
            "steps.orders.max_wait_s: expected seconds above 0, at most 86400, got 0",
        ),
        ("max_s = 120", "max_s = 0", "steps.voicemail.max_s: expected whole seconds from 1 to 3600, got 0"),
        (
            "[steps.hours]",
            "[steps.'opening hours']",
            'steps."opening hours": expected a name of at most 40 Latin letters',
        ),
    ],
)
def test_a_wrong_value_in_a_flow_is_told_with_its_line_and_field(site: Site, old: str, new: str, said: str) -> None:
    line = site.change("nordlis.toml", old, new)
    complaints = site.complaints()
    assert any(said in complaint for complaint in complaints), complaints
    assert all(abs(int(complaint.split(":")[1]) - line) <= 40 for complaint in complaints)
    assert all(complaint.startswith("nordlis.toml:") for complaint in complaints), complaints


def test_a_menu_needs_a_key(site: Site) -> None:
    line = site.change(
        "velmira.toml",
        'keys = { 1 = "orders", 2 = "service", 3 = "hours", 0 = "operator", "*" = "english" }',
        "keys = {}",
    )
    assert site.complaints() == [
        f"velmira.toml:{line}: steps.menu.keys: expected a table of at least one key and its step, got an empty table"
    ]


def test_mistakes_in_all_files_are_told_together_by_file_and_line(site: Site) -> None:
    lines = [
        site.change("ccserver.toml", "http_port = 8088", "http_port = 0"),
        site.change("ccserver.toml", "english = 7", "english = 70"),
        site.change("nordlis.toml", 'next = "menu"', 'next = "mnu"'),
        site.append("velmira.toml", "nonsense") + 0,
    ]
    assert [complaint.split(": ")[0] for complaint in site.complaints()] == [
        f"ccserver.toml:{lines[0]}",
        f"ccserver.toml:{lines[1]}",
        f"velmira.toml:{lines[3]}:9",
    ]
    site.change("ccserver.toml", "http_port = 0", "http_port = 8088")
    site.change("ccserver.toml", "english = 70", "english = 7")
    site.change("velmira.toml", "nonsense", "")
    assert site.complaints() == [
        f'nordlis.toml:{lines[2]}: steps.greeting.next: there is no step "mnu"; did you mean "menu"?'
    ]
