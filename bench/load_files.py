"""The files of bench/load_site.py: ccserver's configuration for N operators, what its lines say, and Asterisk's hold music.

Where only some talks are to be heard (`HEARD_LINE` is recorded) Asterisk sends sound to nobody else: the other queues' class of
music does not exist, with no `default` that could take its place, and the other lines speak a language whose prompts have no
length. All that is commanded is commanded all the same.
"""

import json
import shutil
import wave
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from ccserver.asterisk.render import default_templates_dir
from ccserver.config.places import CHECKOUT
from tests.asterisk_instance import AsteriskInstance

MENU_LINE, DIRECT_LINE, HEARD_LINE = "88000000001", "88000000002", "88000000003"
HEARD_EVERY = 10
"""Of so many operators, and calls, one is heard and recorded, where not all are."""
FIRST_EXTENSION = 2001
NODE = "load"
MUSIC, HEARD_MUSIC, NO_MUSIC = "default", "heard", "none"
"""Classes of hold music; the second is what the first is called where most hear nothing."""
SPOKEN, UNSPOKEN = "ru", "en"
"""The language whose prompts last a second, and the one whose prompts have no length."""
PROMPTS = ("nordlis-greeting", "nordlis-menu", "all-busy-please-wait", "invalid-key", "no-input")
PROMPT_S = {SPOKEN: 1, UNSPOKEN: 0}
RATE_HZ = 8000

MENU_FLOW = """
start = "greeting"
[steps.greeting]
do = "say"
prompts = ["nordlis-greeting"]
next = "menu"
[steps.menu]
do = "menu"
prompts = ["nordlis-menu"]
keys = { 1 = "sales", 2 = "repairs" }
invalid = "invalid-key"
silence = "no-input"
otherwise = "sales"
"""
DIRECT_FLOW = 'start = "sales"\n'
HEARD_FLOW = 'start = "heard"\n'
QUEUE_STEP = """
[steps.{queue}]
do = "queue"
queue = "{queue}"
announce = ["all-busy-please-wait"]
"""
QUEUE = """
[[queues]]
name = "{queue}"
title = "{queue}"
skills = {{ {queue} = 1 }}
ring_timeout_s = 20
wrap_up_s = {wrap_up_s}
record = {record}
music = "{music}"
"""
MAIN = """
[node]
name = "{node}"
[asterisk]
qualify_s = 0
{ports}
[sip]
registration_s = 86400
rtp_timeout_s = 0
[api]
port = {api_port}
[prompts]
file = "{prompts}"
[rules]
reconcile_every_s = 5
[rules.not_ready_reasons]
1 = "break"
"""


def is_heard(extension: str) -> bool:
    """Whether this operator is one of those who serve `HEARD_LINE`, and nothing else."""
    return (int(extension) - FIRST_EXTENSION) % HEARD_EVERY == HEARD_EVERY - 1


def write_templates(directory: Path) -> Path:
    """asterisk-conf/ where most hear nothing."""
    templates = directory / "templates"
    shutil.copytree(default_templates_dir(), templates)
    music = templates / "musiconhold.conf"
    text = music.read_text(encoding="utf-8")
    assert f"[{MUSIC}]" in text, f"{music.name}: no class {MUSIC} in it any more"
    music.write_text(text.replace(f"[{MUSIC}]", f"[{HEARD_MUSIC}]"), encoding="utf-8")
    return templates


def write_config(
    directory: Path, asterisk: AsteriskInstance, api_port: int, wrap_up_s: float, recorded: Collection[str]
) -> None:
    """ccserver's own; `recorded`: as of `load_site`."""
    directory.mkdir()
    for file in (CHECKOUT / "dialplans").glob("*.conf"):
        shutil.copy(file, directory)
    names = ("http_port", "ami_port", "sip_port", "rtp_start", "rtp_end", "fallback_wait_s", "fallback_tries")
    ports = "\n".join(f"{name} = {getattr(asterisk.instance, name)}" for name in names)
    prompts = CHECKOUT / "ivr-prompts" / "prompts.toml"
    parts = [MAIN.format(node=NODE, ports=ports, api_port=api_port, prompts=prompts)]
    some = HEARD_LINE in recorded
    for queue, line in (("sales", DIRECT_LINE), ("repairs", MENU_LINE), ("heard", HEARD_LINE))[: 3 if some else 2]:
        music = MUSIC if not some else HEARD_MUSIC if line == HEARD_LINE else NO_MUSIC
        parts.append(QUEUE.format(queue=queue, wrap_up_s=wrap_up_s, record=str(line in recorded).lower(), music=music))
    for number, flow in ((MENU_LINE, "menu"), (DIRECT_LINE, "direct"), (HEARD_LINE, "heard"))[: 3 if some else 2]:
        language = UNSPOKEN if some and number != HEARD_LINE else SPOKEN
        parts.append(f'[[lines]]\nnumber = "{number}"\nname = "{flow}"\nflow = "{flow}"\nlanguage = "{language}"\n')
    parts += _operators(asterisk.secrets.operators, some=some)
    (directory / "ccserver.toml").write_text("\n".join(parts))
    sales, repairs = (QUEUE_STEP.format(queue=queue) for queue in ("sales", "repairs"))
    (directory / "menu.toml").write_text(MENU_FLOW + sales + repairs)
    (directory / "direct.toml").write_text(DIRECT_FLOW + sales)
    if some:
        (directory / "heard.toml").write_text(HEARD_FLOW + QUEUE_STEP.format(queue="heard"))


def _operators(extensions: Iterable[str], *, some: bool) -> Iterator[str]:
    for n, extension in enumerate(extensions):
        # A third of them each: sales alone, repairs alone, both.
        queues = (["sales"], ["repairs"], ["sales", "repairs"])[n % 3]
        queues = ["heard"] if some and is_heard(extension) else queues
        skills = ", ".join(f"{queue} = {1 + n % 5}" for queue in queues)
        about = f"skills = {{ {skills} }}\nqueues = {json.dumps(queues)}\n"
        yield f'[[operators]]\nextension = "{extension}"\nname = "Operator {extension}"\n{about}'


def write_prompts(directory: Path) -> None:
    """Silence: what is said is not what is measured."""
    for language, seconds in PROMPT_S.items():
        (directory / language).mkdir(parents=True, exist_ok=True)
        for name in PROMPTS:
            with wave.open(str(directory / language / f"{name}.wav"), "wb") as sound:
                sound.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
                sound.writeframes(bytes(2 * RATE_HZ * seconds))
