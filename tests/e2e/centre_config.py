"""The configuration of a contact centre under test: the demo's, with shorter times, and a line whose menu is short.

Used by `centre.contact_centre`. What is said, asked and queued is the demo's own; only waits are shorter, so that a test of
silence does not last a minute.
"""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
BRISK_LINE = "88001002030"
"""Runs the demo's flow with short prompts, one second for a key, one retry, and little patience in the queue `service`."""
ENGLISH_OPERATOR = "1003"
"""The only one whose English is good enough for the brisk line."""

QUICK = {
    "ring_timeout_s": "4",
    "wrap_up_s": "1",
    "refused_pause_s": "3",
    "unreachable_retry_s": "4",
    "reconcile_every_s": "5",
    "reach_timeout_s": "3",
}
"""Of the demo configuration, made quick for tests; everything else is as shipped."""

BRISK = {
    'prompts = ["nordlis-greeting", "recording-notice"]': 'prompts = ["reason-2", "reason-5"]',
    'prompts = ["nordlis-menu", "english-offer"]': 'prompts = ["english-offer"]',
    'prompts = ["nordlis-menu"]': 'prompts = ["reason-4"]',
    "timeout_s = 5": "timeout_s = 1",
    "retries = 2 ": "retries = 1 ",
    "english = 2": "english = 9",
    'announce = ["all-busy-please-wait"]': 'announce = ["reason-1"]',
    'queue = "service"\nannounce = ["reason-1"]\nmax_wait_s = 900': 'queue = "service"\nmax_wait_s = 1',
    'prompts = ["voicemail-intro"]': 'prompts = ["reason-3"]',
    "silence_s = 5": "silence_s = 3",
    'prompts = ["voicemail-thanks", "goodbye"]': 'prompts = ["goodbye"]',
}
"""What the brisk line's flow has in place of the demo's, one after the other."""


def write_config(directory: Path, asterisk_ports: Mapping[str, int], api_port: int, rules: Mapping[str, str]) -> Path:
    """Write the configuration; `rules` set every value of that name. Returns the directory.

    Who leaves the queue `orders` counts as abandoned however soon, who leaves `service` as short abandoned however late:
    so neither depends on how fast the machine is.
    """
    shutil.copytree(CHECKOUT / "dialplans", directory, dirs_exist_ok=True)
    main = directory / "ccserver.toml"
    text = main.read_text(encoding="utf-8")
    for name, port in asterisk_ports.items():
        text = re.sub(rf"(?m)^{name} = \d+", f"{name} = {port}", text)
    text = re.sub(r"(?m)^port = \d+", f"port = {api_port}", text)
    text = text.replace("[rules]\n", "[rules]\nreconcile_every_s = 30\n", 1)
    text = text.replace("wrap_up_s = 5", "wrap_up_s = 5\nreach_timeout_s = 5")
    text = text.replace('name = "orders"\n', 'name = "orders"\nshort_abandon_s = 0\n')
    text = text.replace('name = "service"\n', 'name = "service"\nshort_abandon_s = 86400\n')
    for name, value in rules.items():
        text, count = re.subn(rf"(?m)^{name} = [\d.]+", f"{name} = {value}", text)
        assert count, f"{name} is not in the demo configuration"
    line = f'[[lines]]\nnumber = "{BRISK_LINE}"\nname = "Brisk"\nflow = "brisk"\nlanguage = "ru"\n'
    prompts = CHECKOUT / "ivr-prompts" / "prompts.toml"
    main.write_text(f'{text}\n{line}\n[prompts]\nfile = "{prompts}"\n', encoding="utf-8")
    _write_brisk_flow(directory)
    return directory


def write_flows(directory: Path, flows: Mapping[str, str]) -> None:
    """Flows of a test's own, by name; those of the demo, and `brisk`, can be replaced so."""
    for name, text in flows.items():
        (directory / f"{name}.toml").write_text(text, encoding="utf-8")


def write_below(directory: Path, below: Mapping[str, str]) -> None:
    """Add settings to `ccserver.toml`: below the first line that says this, that."""
    main = directory / "ccserver.toml"
    text = main.read_text(encoding="utf-8")
    for line, more in below.items():
        assert f"\n{line}\n" in text, f"no line of the configuration is {line!r}"
        text = text.replace(f"\n{line}\n", f"\n{line}\n{more.rstrip()}\n", 1)
    main.write_text(text, encoding="utf-8")


def write_sip(
    directory: Path, sip: Mapping[str, object], encryption: Mapping[str, str], asterisk: Mapping[str, object]
) -> None:
    """Add `[sip]`, `encryption` of operators and further settings of `[asterisk]` to what `write_config` wrote."""
    write_below(directory, {f'extension = "{each}"': f'encryption = "{value}"' for each, value in encryption.items()})
    main = directory / "ccserver.toml"
    text = main.read_text(encoding="utf-8")
    for name, value in asterisk.items():
        text = re.sub(rf"(?m)^{name} = .*\n", "", text)
        text = text.replace("[asterisk]\n", f"[asterisk]\n{name} = {json.dumps(value)}\n")
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in sip.items())
    main.write_text(f"{text}\n[sip]\n{lines}", encoding="utf-8")


def _write_brisk_flow(directory: Path) -> None:
    flow = (directory / "nordlis.toml").read_text(encoding="utf-8")
    for shipped, brisk in BRISK.items():
        assert shipped in flow, f"{shipped!r} is not in the demo's flow"
        flow = flow.replace(shipped, brisk)
    (directory / "brisk.toml").write_text(flow, encoding="utf-8")
