"""Take a callback request from a caller whom ccserver cannot serve; run by Asterisk, on the fallback's last step.

The dialplan calls `AGI(callback,<callbacks dir>,<prompts dir>,<dnis>)`: a copy of this file, run by the Python beside
Asterisk, so nothing but the standard library and pyst2 may be imported. The caller presses 1 to be called at the
number he calls from, or dials another number and #. The request becomes one JSON file in the callbacks directory,
from which the daemon takes it (`ccserver/callback_spool.py`) as soon as it is there again.

pyst2: its AGI class wants text streams and, for its signal handler, the main thread; it quotes nothing, so only file
names and digits are passed; a hangup may come out as ValueError.
"""

import json
import os
import sys
import time
from pathlib import Path

from asterisk.agi import AGI, AGIException

TRIES = 3
FEWEST_DIGITS = 5
MOST_DIGITS = 15
KEYS = "0123456789#"
FIRST_KEY_TIMEOUT_MS = 8000
NEXT_KEY_TIMEOUT_MS = 4000

# What is played when no prompt was built: phrases that come with Asterisk, in both languages.
RECORDED = {
    "fallback-callback-offer": ("vm-nobodyavail", "vm-enter-num-to-call", "astcc-followed-by-the-pound-key"),
    "invalid-key": ("pm-invalid-option",),
    "fallback-thanks": ("auth-thankyou",),
}


def main() -> int:
    callbacks, prompts, dnis = sys.argv[1:4]
    # pyst2 tells every line it reads and writes to its error stream: that would be Asterisk's console.
    with Path(os.devnull).open("w", encoding="utf-8") as silence:
        agi = AGI(sys.stdin, sys.stdout, silence)
        try:
            if number := ask_number(agi, Path(prompts)):
                spool(Path(callbacks), agi.env, dnis, number)
                play(agi, Path(prompts), "fallback-thanks")
        except (AGIException, ValueError, BrokenPipeError):
            pass  # the caller hung up: what he confirmed before is on disk
    return 0


def ask_number(agi: AGI, prompts: Path) -> str:
    """The number to call back, or an empty string when the caller says nothing sensible in three tries."""
    calling_from: str = digits_of(agi.env.get("agi_callerid", ""))
    for _ in range(TRIES):
        keys = ask_keys(agi, prompts, "fallback-callback-offer")
        if keys == "1" and len(calling_from) >= FEWEST_DIGITS:
            return calling_from
        if len(keys) >= FEWEST_DIGITS and keys.isdigit():
            return keys
        if keys:
            play(agi, prompts, "invalid-key")
    return ""


def ask_keys(agi: AGI, prompts: Path, prompt: str) -> str:
    """Play and collect keys up to #, or until the caller pauses; the first key ends the prompt."""
    keys = ""
    for name in sounds(agi, prompts, prompt):
        if key := agi.stream_file(name, KEYS):
            keys = key
            break
    while len(keys) < MOST_DIGITS and not keys.endswith("#"):
        key = agi.wait_for_digit(NEXT_KEY_TIMEOUT_MS if keys else FIRST_KEY_TIMEOUT_MS)
        if not key:
            break
        keys += key
    return keys.removesuffix("#")


def play(agi: AGI, prompts: Path, prompt: str) -> None:
    for name in sounds(agi, prompts, prompt):
        agi.stream_file(name)


def sounds(agi: AGI, prompts: Path, prompt: str) -> tuple[str, ...]:
    """File names without ending, as Asterisk wants them: our own prompt when there is one."""
    own = prompts / agi.env.get("agi_language", "ru") / prompt
    return (f'"{own}"',) if own.with_suffix(".wav").exists() else RECORDED[prompt]


def digits_of(number: str) -> str:
    return "".join(character for character in number if character.isdigit())


def spool(callbacks: Path, env: "dict[str, str]", dnis: str, number: str) -> None:
    """One file per request, complete before it has its name."""
    request = {
        "ani": env.get("agi_callerid", ""),
        "dnis": dnis,
        "number": number,
        "at": time.time(),
        "uniqueid": env.get("agi_uniqueid", ""),
        "language": env.get("agi_language", ""),
    }
    name = f"{time.time_ns()}-{os.getpid()}"
    unfinished = callbacks / f".{name}.tmp"
    with unfinished.open("w", encoding="utf-8") as file:
        json.dump(request, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())  # it is promised to the caller in the next breath
    unfinished.rename(callbacks / f"{name}.json")


if __name__ == "__main__":
    sys.exit(main())
