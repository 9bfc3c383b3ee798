"""Loading a configuration as a whole: what comes out, what overrides do, and files that are not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import fields

from ccserver.config import flowfile, freeze, places, schema
from ccserver.config.errors import ConfigErrors, Problem, Severity, in_order, shown
from ccserver.config.load import load
from ccserver.core import plan, steps
from ccserver.core.ids import AgentId, FlowName, LineNumber, PlanHash, QueueName, StepName
from tests.config_site import CHECKOUT, Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_the_demo_is_what_the_readme_promises(site: Site) -> None:
    config = site.load()
    whole = config.plan
    assert list(whole.lines) == ["88007707999", "88007004666"]
    assert list(whole.queues) == ["orders", "service"]
    assert list(whole.operators) == [str(number) for number in range(1001, 1011)]
    for line in whole.lines.values():
        menu = whole.flows[line.flow].steps[StepName("menu")]
        assert isinstance(menu, steps.Menu)
        assert set(menu.keys) == {"1", "2", "3", "0", "*"}
    for operator in whole.operators.values():
        assert set(operator.queues) == {"orders", "service"}
    assert whole.rules.not_ready_reasons["2"] == "lunch"
    assert config.store_url == f"sqlite:///{site.root}/var/store.sqlite"
    assert config.recordings_dir == site.root / "var" / "recordings"
    assert config.dialplans_dir == site.dialplans
    assert config.prompts.languages == ("ru", "en")
    assert config.warnings == ()


def test_what_the_core_gets_is_of_its_own_types(site: Site) -> None:
    whole = site.load().plan
    assert whole.queues[QueueName("orders")].skills == (steps.SkillNeed(skill="orders", level=1),)  # type: ignore[arg-type]
    step = whole.flows[FlowName("nordlis")].steps[StepName("orders-english")]
    assert step == steps.Enqueue(
        queue=QueueName("orders"),
        skills=(steps.SkillNeed(skill="english", level=2),),  # type: ignore[arg-type]
        announce=("all-busy-please-wait",),
        max_wait_s=900.0,
        otherwise=StepName("voicemail"),
    )
    assert whole.operators[AgentId("1001")].skills == {"orders": 8, "service": 5, "english": 7}
    assert whole.lines[LineNumber("88007707999")].day_starts_at == "05:00"


def test_the_journal_reads_a_plan_back_as_it_was(site: Site) -> None:
    whole = site.load().plan
    assert msgspec.json.decode(msgspec.json.encode(whole), type=plan.Plan) == whole


def test_the_hash_is_of_the_meaning_and_not_of_the_text(site: Site) -> None:
    before = site.load().plan.hash
    assert len(before) == 64
    site.change("nordlis.toml", "# Each step", "# Every step")
    site.change("nordlis.toml", "max_s = 120\nsilence_s = 5\n", "silence_s = 5\nmax_s = 120\n")
    site.change("ccserver.toml", "http_port = 8088", "http_port = 8087")
    assert site.load().plan.hash == before
    site.change("nordlis.toml", "silence_s = 5", "silence_s = 6")
    assert site.load().plan.hash != before


def test_the_hash_can_be_made_again_from_the_plan(site: Site) -> None:
    whole = site.load().plan
    assert freeze.plan_hash(whole) == whole.hash
    assert freeze.plan_hash(msgspec.structs.replace(whole, hash=PlanHash("x"))) == whole.hash


OF_TRANSFERS = {(steps.Enqueue, "agent"), (steps.GoTo, "line")}
"""What `transfer` steps alone say."""


@pytest.mark.parametrize(
    ("toml", "core"),
    [(schema.Line, plan.Line), (schema.Queue, plan.Queue), (schema.Operator, plan.Operator), (schema.Rules, plan.Rules)]
    + [(schema.Tolls, plan.Tolls), (schema.Outbound, plan.Outbound), (schema.Dispositions, plan.Dispositions)]
    + [(toml, core) for toml, core in freeze._STEPS.items()]
    + [(flowfile.Enqueue, steps.Enqueue)],
)
def test_every_field_of_the_core_can_be_written_and_has_the_cores_default(toml: type, core: type) -> None:
    written = {field.name: field for field in fields(toml) if (toml, field.name) != (schema.Operator, "encryption")}
    known = [field for field in fields(core) if (core, field.name) not in OF_TRANSFERS]
    assert set(written) == {field.name for field in known}
    for field in known:
        if field.default is not msgspec.NODEFAULT and field.name not in {"skills", "dispositions"}:
            assert written[field.name].default == field.default, field.name
        assert field.required or not written[field.name].required, field.name


def test_all_that_is_optional_may_be_left_out(site: Site) -> None:
    text = site.file("ccserver.toml").read_text()
    for table in ("asterisk", "api", "rules", "rules.not_ready_reasons"):
        start = text.index(f"[{table}]")
        text = text[:start] + text[text.index("\n[", start) + 1 :] if "\n[" in text[start:] else text[:start]
    site.file("ccserver.toml").write_text(text)
    config = site.load()
    assert config.asterisk == schema.Asterisk()
    assert config.plan.rules == plan.Rules()


def test_an_override_replaces_a_value(site: Site) -> None:
    config = site.load(asterisk__http_port=18088, limits__inbox_events=100, api__port=18080)
    assert (config.asterisk.http_port, config.api.port, config.limits.inbox_events) == (18088, 18080, 100)


def test_an_override_reaches_into_arrays_and_takes_paths(site: Site) -> None:
    overrides = {"queues[0].ring_timeout_s": 7, "recordings.directory": site.root / "kept"}
    config = load(site.dialplans, state_dir=site.root, overrides=overrides)
    assert config.plan.queues[QueueName("orders")].ring_timeout_s == 7
    assert config.recordings_dir == site.root / "kept"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("asterisk.http_port", 0, "override: asterisk.http_port: expected a port from 1 to 65535, got 0"),
        ("asterisk.htp_port", 1, 'override: asterisk.htp_port: unknown key; did you mean "http_port"?'),
        ("asterisk.ami_port", 8088, "override: asterisk.ami_port: port 8088 is taken already by asterisk.http_port"),
        (
            "queues[7].name",
            "x",
            'override: "queues[7].name": there is no such field: expected one like asterisk.http_port or ',
        ),
        ("asterisk..port", 1, 'override: "asterisk..port": there is no such field'),
        ("node.name.first", 1, 'override: "node.name.first": there is no such field'),
        ("operators", [], "override: queues"),
        ("rules", None, "override: rules: expected a table, got the NoneType None"),
        ("lines[0].flow", "x", 'override: lines[0].flow: there is no flow "x"; the directory has nordlis, velmira'),
    ],
)
def test_an_override_is_checked_like_the_file(site: Site, field: str, value: object, said: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load(site.dialplans, state_dir=site.root, overrides={field: value})
    if field == "operators":
        assert "no operator is in queue orders: its callers would wait in vain" in str(caught.value)
    else:
        assert str(caught.value).startswith(said)


def test_a_queue_that_nobody_serves_is_refused(site: Site) -> None:
    text = site.file("ccserver.toml").read_text().replace('queues = ["orders", "service"]', 'queues = ["orders"]')
    site.file("ccserver.toml").write_text(text)
    line = text[: text.index('name = "service"')].count("\n")
    assert site.complaints() == [
        f"ccserver.toml:{line}: queues[1]: no operator is in queue service: its callers would wait in vain"
    ]


def test_a_queue_whose_operators_all_lack_a_skill_is_refused(site: Site) -> None:
    site.change("ccserver.toml", "skills = { orders = 1 }", "skills = { orders = 10 }")
    (complaint,) = site.complaints()
    assert complaint.endswith(
        "queues[0]: no operator of queue orders has the skills it takes (orders at 10): "
        "nearest is 1001, who needs orders at 10, has level 8"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'queues = ["orders", "service"]',
            "queues = []",
            "operators[0]: warning: 1001 is in no queue: will get no contact",
        ),
        (
            "orders = 8,",
            "ordres = 8,",
            'operators[0].skills.ordres: warning: no queue and no flow asks for this skill; did you mean "',
        ),
        (
            "skills = { orders = 1 }",
            "skills = { orders = 9 }",
            "operators[0].queues[0]: warning: 1001 can get no contact of queue orders: needs orders at 9, has level 8",
        ),
        (
            'address = "127.0.0.1"           #',
            'address = "0.0.0.0" #',
            "api.address: warning: anyone who reaches this address may try tokens, and they travel in clear",
        ),
        (
            "# --- operators",
            '[[queues]]\nname = "vip"\ntitle = "VIP"\n# --- operators',
            "queues[2]: warning: no flow leads to queue vip",
        ),
    ],
)
def test_what_works_and_is_hardly_meant_is_a_warning(site: Site, old: str, new: str, said: str) -> None:
    site.change("ccserver.toml", old, new)
    if "vip" in new:
        site.change("ccserver.toml", 'queues = ["orders", "service"]', 'queues = ["orders", "service", "vip"]')
    assert any(said in warning for warning in site.warnings()), site.warnings()
    assert all(warning.severity is Severity.WARNING for warning in site.load().warnings)


def test_a_configuration_without_lines_is_a_warning(site: Site) -> None:
    text = site.file("ccserver.toml").read_text()
    site.file("ccserver.toml").write_text(text.replace("[[lines]]", "[[old_lines]]"))
    assert any("old_lines: unknown key" in complaint for complaint in site.complaints())
    start, end = text.index("[[lines]]"), text.index("[[queues]]")
    site.file("ccserver.toml").write_text(text[:start] + text[end:])
    assert "ccserver.toml:1: lines: warning: there is no line: nobody can call" in site.warnings()


def test_prompts_of_the_house_must_be_there(site: Site) -> None:
    site.change("prompts.toml", "[agent-ready]", "[agent-reddy]")
    assert site.complaints() == [
        'ccserver.toml:1: prompts.file: there is no prompt "agent-ready" in prompts.toml; did you mean "agent-reddy"?; '
        "operators hear it when they dial *11"
    ]


def test_prompts_without_voices_have_no_languages(site: Site) -> None:
    site.file("prompts.toml").write_text('[a]\nru = "a"\n')
    assert site.complaints() == [
        "prompts.toml:1: voices: expected a table [voices.<language>] for each language of the prompts"
    ]


def test_a_file_of_prompts_that_is_not_there_is_told_where_it_is_named(site: Site) -> None:
    line = site.append("ccserver.toml", '[prompts]\nfile = "../spoken.toml"\n') + 1
    assert site.complaints() == [
        f"ccserver.toml:{line}: prompts.file: expected the file of prompts, but spoken.toml: there is no such file"
    ]


def test_a_file_of_prompts_that_is_no_toml_is_told_itself(site: Site) -> None:
    line = site.append("prompts.toml", "nonsense")
    assert site.complaints() == [f"prompts.toml:{line}:9: not valid TOML: Expected '=' after a key in a key/value pair"]


def test_a_directory_without_a_configuration_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match=r"ccserver\.toml: there is no such file$"):
        load(tmp_path)
    with pytest.raises(ConfigErrors, match=r"nowhere: there is no such file$"):
        load(tmp_path / "nowhere")


def test_a_flow_whose_file_cannot_be_its_name_is_told(site: Site) -> None:
    site.append("new year.toml", 'start = "a"\n')
    assert site.complaints() == [
        "new year.toml: the file's name is the flow's: expected Latin letters, digits, - or _, beginning with a letter"
    ]


def test_an_editors_hidden_files_are_no_flows(site: Site) -> None:
    site.append(".#nordlis.toml", "nonsense")
    site.append("nordlis.toml~", "nonsense")
    assert site.warnings() == []


def test_the_directory_and_the_file_name_the_same_configuration(site: Site) -> None:
    assert (
        load(site.dialplans / "ccserver.toml", state_dir=site.root).plan
        == load(site.dialplans, state_dir=site.root).plan
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///kept.sqlite", "sqlite:///{state}/kept.sqlite"),
        ("sqlite:////srv/kept.sqlite", "sqlite:////srv/kept.sqlite"),
        ("postgresql://u:p@db.example/cc", "postgresql://u:p@db.example/cc"),
        ("", "sqlite:///{state}/store.sqlite"),
    ],
)
def test_a_store_lies_in_the_state_directory_unless_its_url_says_another_place(
    site: Site, url: str, expected: str
) -> None:
    assert site.load(store__url=url).store_url == expected.format(state=site.root / "var")


def test_without_arguments_the_environment_decides(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CCSERVER_CONFIG", str(site.dialplans))
    monkeypatch.setenv("CCSERVER_STATE", str(site.root / "state"))
    config = load()
    assert config.file == site.dialplans / "ccserver.toml"
    assert config.state_dir == site.root / "state"


def test_without_an_environment_the_checkout_decides() -> None:
    assert places.config_file({}) == CHECKOUT / "dialplans" / "ccserver.toml"
    assert places.state_dir({}) == CHECKOUT / "var"


def test_files_are_named_as_seen_from_the_current_directory(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    line = site.change("ccserver.toml", "http_port = 8088", "http_port = 0")
    monkeypatch.chdir(site.root)
    with pytest.raises(ConfigErrors) as caught:
        load(Path("dialplans"))
    assert (
        str(caught.value)
        == f"dialplans/ccserver.toml:{line}: asterisk.http_port: expected a port from 1 to 65535, got 0"
    )


@contextmanager
def forbidden(directory: Path) -> Iterator[None]:
    """For the time being we may not look into the directory (root may everywhere: he becomes nobody)."""
    directory.chmod(0)
    if os.geteuid() == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(os.getuid())
        directory.chmod(0o700)


def test_a_configuration_that_we_may_not_read_says_so(site: Site) -> None:
    with forbidden(site.dialplans):
        complaints = site.complaints()
    assert complaints == ["dialplans: cannot be read: Permission denied"]


def test_problems_are_sorted_by_line_number_and_told_once() -> None:
    late, early = Problem(file="a", line=10, message="x"), Problem(file="a", line=9, message="y")
    assert in_order([late, early, late]) == (early, late)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("ж" * 100, '"' + "ж" * 57 + '…"'),
        (10**400, "a number of more than 20 digits"),
        ({}, "an empty table"),
        ([1], "an array"),
        (float("nan"), "nan"),
        ("\x7f\x1b\u2028\U000e0001", '"\\u007f\\u001b\\u2028\\udb40\\udc01"'),
    ],
)
def test_what_was_found_is_shown_in_a_few_harmless_words(value: object, text: str) -> None:
    assert shown(value) == text
