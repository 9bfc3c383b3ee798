"""The command line as a person uses it: its help, its answers, and the doctor, whose every word can be typed."""

import asyncio
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ccserver.__main__ import parser
from tests.e2e.centre import Centre
from tests.e2e.centre_config import CHECKOUT
from tests.e2e.installation import Ended, Installation

VERBS = (
    "run",
    "check",
    "graph",
    "reload",
    "migrate",
    "prompts",
    "backup",
    "restore",
    "replay",
    "doctor",
    "demo",
    "asterisk",
)
ANOTHER_DECISION = """
    update turn set records = cast(replace(cast(records as text), '"ready"', '"talking"') as blob)
    where seq = (select max(seq) from turn where cast(records as text) like '%"ready"%')
"""
ASTERISK_VERBS = ("render", "start", "exec", "unit", "stop", "status", "rescue", "console")


@pytest.fixture
def mine(tmp_path: Path) -> Installation:
    """Nothing but a configuration."""
    return Installation.new(tmp_path)


def help_of(mine: Installation, *words: str) -> str:
    text = mine.done(*words, "--help")
    assert max(map(len, text.splitlines())) <= 120
    return text


# --- help --------------------------------------------------------------------------------------------------------------


def test_the_help_names_every_verb_the_directories_and_the_exit_codes(mine: Installation) -> None:
    text = help_of(mine)
    for verb in VERBS:
        assert re.search(rf"(?m)^    {verb}  +\S", text), verb
    for word in ("CCSERVER_CONFIG", "CCSERVER_STATE", "script/server", "--config DIR"):
        assert word in text
    assert {int(code) for code in re.findall(r"(?m)^  (\d+)  ", text)} == {0, 1, 2, 3, 69, 75, 78}


@pytest.mark.parametrize(
    "verb", [*((verb,) for verb in VERBS), *(("asterisk", verb) for verb in ASTERISK_VERBS)], ids=" ".join
)
def test_every_verb_says_what_it_does_in_sentences_and_its_examples_can_be_typed(
    mine: Installation, verb: tuple[str, ...]
) -> None:
    usage, story, *_ = re.split(r"\n\n", help_of(mine, *verb), maxsplit=2)
    assert usage.startswith(f"usage: ccserver {' '.join(verb)}")
    assert re.match(r"[A-Z]", story) and story.endswith("."), story
    for example in re.findall(r"(?m)^  (ccserver .+?)(?:  +.*)?$", help_of(mine, *verb)):
        parser().parse_args(shlex.split(example)[1:])


@pytest.mark.parametrize(
    "wrong", [[], ["fly"], ["check", "--colour"], ["prompts"], ["asterisk"], ["run", "now"]], ids=" ".join
)
def test_what_it_does_not_understand_it_answers_with_the_usage(mine: Installation, wrong: list[str]) -> None:
    ended = mine.ccserver(*wrong)
    assert ended.code == 2
    assert ended.err.startswith("usage: ccserver")
    assert ended.err.splitlines()[-1].startswith("ccserver")


# --- check -------------------------------------------------------------------------------------------------------------


def test_check_tells_what_would_happen_to_a_call(mine: Installation) -> None:
    assert mine.done("check") == "the configuration is right\n"
    story = mine.done("check", "--call", "88007707999", "--at", "2026-12-31T23:50")
    assert story.startswith("A call to 88007707999 (Нордлис) on Thursday, 31 December 2026, 23:50, Europe/Moscow.\n")
    assert "Waits in queue orders (Заказы)" in story
    assert "1: orders" in story
    assert mine.done("check", "--call", "8 800 770-79-99").startswith("A call to 88007707999 ")


@pytest.mark.parametrize(
    ("question", "told"),
    [
        (["--call", "88007707998"], 'there is no line "88007707998"; .*'),
        (["--call", "88007707999", "--at", "tomorrow"], 'expected a time like 2026-12-31T23:50, got "tomorrow"'),
        (["--at", "2026-12-31T23:50"], "--at says when a call comes: .* --call NUMBER"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(mine: Installation, question: list[str], told: str) -> None:
    assert re.fullmatch(told, mine.refused(1, "check", *question))


def test_another_configuration_can_be_named(mine: Installation) -> None:
    shutil.rmtree(mine.config_dir)
    assert mine.ccserver("check").code == 78
    assert mine.done("--config", str(CHECKOUT / "dialplans"), "check") == "the configuration is right\n"


# --- the rest, while nothing runs --------------------------------------------------------------------------------------


def test_what_needs_a_running_asterisk_says_that_there_is_none(mine: Installation) -> None:
    for verb in (["stop"], ["status"], ["rescue"], ["console", "core", "show", "channels"]):
        line = mine.refused(69, "asterisk", *verb)
        assert line.startswith(f"{mine.state_dir}: no Asterisk was set up here, run: ccserver asterisk start")
    mine.done("asterisk", "render")
    assert mine.ccserver("asterisk", "status") == Ended(3, "Asterisk is not running\n", "")
    for verb in (["stop"], ["rescue"], ["console", "core", "show", "channels"]):
        assert mine.refused(69, "asterisk", *verb).startswith(f"Asterisk of {mine.state_dir} is not running")


def test_before_the_first_start_there_is_nothing_to_replay(mine: Installation) -> None:
    assert mine.done("replay") == f"{mine.journal}: no daemon has started on it yet, there is nothing to replay\n"


def test_migrate_makes_the_store_once(mine: Installation) -> None:
    assert re.fullmatch(r"schema (\d+), was 0\n", mine.done("migrate"))
    assert re.fullmatch(r"schema (\d+), nothing to do\n", mine.done("migrate"))


def test_prompts_are_listed_and_what_is_missing_or_misspelt_is_named(mine: Installation, prompts_dir: Path) -> None:
    assert re.search(r"(?m)^ru  nordlis-greeting +Здравствуйте!", mine.done("prompts", "list"))
    shutil.copytree(prompts_dir, mine.state_dir / "prompts")
    assert re.fullmatch(r"\d+ prompts, all built\n", mine.done("prompts", "check"))
    (mine.state_dir / "prompts/ru/goodbye.wav").unlink(missing_ok=True)
    (mine.state_dir / "prompts/ru/nordlis-menu.wav").unlink()
    ended = mine.ccserver("prompts", "check")
    assert (ended.code, ended.err) == (1, "not built: ru/nordlis-menu\n")


def test_who_reads_only_the_beginning_is_not_shown_a_traceback(mine: Installation) -> None:
    command = f"set -o pipefail; {sys.executable} -m ccserver prompts list | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command], env=mine.environment(), cwd=CHECKOUT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


# --- replay ------------------------------------------------------------------------------------------------------------


async def test_after_real_calls_every_decision_is_made_the_same_once_more(site: Centre) -> None:
    phone = await site.operator("1001")
    caller = await site.waiting("1")
    await (await phone.wait_call(10)).wait_up()
    await caller.hangup()
    await site.finished()
    mine = Installation(site.config_dir.parent)
    assert mine.journal.exists()
    replayed = await asyncio.to_thread(mine.done, "replay")
    assert re.fullmatch(r"\d+ turns with \d+ events: every decision the same\n", replayed)


async def test_a_decision_that_was_another_then_is_shown(site: Centre, tmp_path: Path) -> None:
    await site.operator("1001")
    copy = Installation(tmp_path)
    shutil.copytree(site.config_dir, copy.config_dir)
    copy.state_dir.mkdir()
    with (
        closing(sqlite3.connect(site.state_dir / "journal.sqlite")) as journal,
        closing(sqlite3.connect(copy.journal)) as copied,
    ):
        journal.backup(copied)
        with copied:
            assert copied.execute(ANOTHER_DECISION).rowcount == 1
    ended = await asyncio.to_thread(copy.ccserver, "replay")
    assert ended.code == 1
    assert re.match(r"turn \d+ would be decided otherwise:\n  record then, not now: .*talking", ended.out), ended


# --- the doctor --------------------------------------------------------------------------------------------------------


def test_doing_what_the_doctor_says_leads_from_nothing_to_a_centre_that_serves(
    mine: Installation, prompts_dir: Path
) -> None:
    done: list[str] = []
    try:
        while wrong := {what: mend for what, mend in mine.doctor().items() if what != "daemon"}:
            command = next(iter(wrong.values()))
            assert command not in done, f"it did not help: {command}"
            if command == "ccserver prompts build":  # all but two of them, for the sake of time
                shutil.copytree(prompts_dir, mine.state_dir / "prompts", dirs_exist_ok=True)
                (mine.state_dir / "prompts/ru/nordlis-menu.wav").unlink()
                (mine.state_dir / "prompts/en/nordlis-menu.wav").unlink()
            mine.mend(command)
            done.append(command)
        assert done == [
            "ccserver asterisk render",
            "ccserver asterisk start",
            "ccserver migrate",
            "ccserver prompts build",
        ]
        with mine.running():
            ended = mine.ccserver("doctor")
            assert ended.code == 0, ended.out
            assert re.search(r"(?m)^ok  daemon +runs, process \d+$", ended.out)
    finally:
        mine.ccserver("asterisk", "stop")
    mine.nothing_runs()
