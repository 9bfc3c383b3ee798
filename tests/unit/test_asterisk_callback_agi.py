"""The callback script, spoken to as Asterisk does: lines on its standard input, commands on its standard output."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ccserver.asterisk.settings import PACKAGE_DIR

DNIS = "88007707999"
PLAYED, SILENCE, FAILED = "200 result=0 endpos=1000", "200 result=0", "200 result=-1"
PROMPT = [PLAYED] * 3
"""The recorded prompt is three files long."""


def keys(digits: str) -> list[str]:
    return [f"200 result={ord(digit)}" for digit in digits]


def answer(directory: Path, replies: list[str], callerid: str = "+78123334455") -> tuple[list[str], list[object]]:
    """Run the script against these replies; the commands it gave, and the requests it spooled."""
    # Alone in a directory, as in the state directory: beside this package's modules it would import those.
    script = Path(shutil.copy(PACKAGE_DIR / "callback_agi.py", directory / "callback"))
    callbacks = directory / "callbacks"
    callbacks.mkdir()
    environment = {
        "agi_callerid": callerid,
        "agi_language": "ru",
        "agi_uniqueid": "1795343002.7",
        "agi_calleridname": "Иван: Петров",
    }
    spoken = "".join(f"{name}: {value}\n" for name, value in environment.items()) + "\n" + "\n".join([*replies, ""])
    done = subprocess.run(
        [sys.executable, str(script), str(callbacks), str(directory / "prompts"), DNIS],
        input=spoken.encode(),
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode().splitlines(), [json.loads(path.read_text()) for path in callbacks.iterdir()]


def test_one_asks_to_be_called_at_the_number_he_calls_from(tmp_path: Path) -> None:
    commands, (request,) = answer(tmp_path, [*PROMPT, *keys("1"), SILENCE, PLAYED])
    assert isinstance(request, dict)
    assert (request["number"], request["ani"], request["dnis"]) == ("78123334455", "+78123334455", DNIS)
    assert (request["uniqueid"], request["language"]) == ("1795343002.7", "ru")
    assert commands[-1] == 'STREAM FILE auth-thankyou "" 0'


def test_another_number_ends_with_the_hash_key_and_may_begin_during_the_prompt(tmp_path: Path) -> None:
    replies = [PLAYED, f"200 result={ord('8')} endpos=100", *keys("9161234567#"), PLAYED]
    _, (request,) = answer(tmp_path, replies)
    assert isinstance(request, dict)
    assert request["number"] == "89161234567"


def test_a_number_without_a_hash_key_ends_when_he_pauses(tmp_path: Path) -> None:
    _, (request,) = answer(tmp_path, [*PROMPT, *keys("89161234567"), SILENCE, PLAYED])
    assert isinstance(request, dict)
    assert request["number"] == "89161234567"


def test_who_says_nothing_three_times_leaves_no_request(tmp_path: Path) -> None:
    commands, requests = answer(tmp_path, [*PROMPT, SILENCE] * 3)
    assert requests == []
    assert len([command for command in commands if command.startswith("WAIT FOR DIGIT")]) == 3


@pytest.mark.parametrize("nonsense", ["123#", "1*2345#", "7#"])
def test_nonsense_is_said_to_be_nonsense_and_asked_again(tmp_path: Path, nonsense: str) -> None:
    replies = [*PROMPT, *keys(nonsense), PLAYED, *PROMPT, *keys("89161234567#"), PLAYED]
    commands, (request,) = answer(tmp_path, replies)
    assert isinstance(request, dict)
    assert request["number"] == "89161234567"
    assert 'STREAM FILE pm-invalid-option "" 0' in commands


def test_who_calls_without_a_number_must_give_one(tmp_path: Path) -> None:
    replies = [*PROMPT, *keys("1"), SILENCE, PLAYED, *PROMPT, *keys("89161234567#"), PLAYED]
    _, (request,) = answer(tmp_path, replies, callerid="unknown")
    assert isinstance(request, dict)
    assert (request["number"], request["ani"]) == ("89161234567", "unknown")


@pytest.mark.parametrize("end", [["HANGUP"], [FAILED], []], ids=["said", "as a failure", "without a word"])
def test_who_hangs_up_before_he_confirms_leaves_nothing_behind(tmp_path: Path, end: list[str]) -> None:
    _, requests = answer(tmp_path, [*PROMPT, *keys("8916"), *end])
    assert requests == []


@pytest.mark.parametrize("end", [["HANGUP"], [FAILED], []], ids=["said", "as a failure", "without a word"])
def test_who_hangs_up_while_being_thanked_is_called_back(tmp_path: Path, end: list[str]) -> None:
    _, requests = answer(tmp_path, [*PROMPT, *keys("89161234567#"), *end])
    assert len(requests) == 1


def test_our_own_prompt_is_played_when_there_is_one(tmp_path: Path) -> None:
    own = tmp_path / "prompts" / "ru" / "fallback-callback-offer.wav"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"RIFF")
    commands, _ = answer(tmp_path, [PLAYED, *keys("89161234567#"), PLAYED])
    assert commands[0] == f'STREAM FILE "{own.with_suffix("")}" "0123456789#" 0'
