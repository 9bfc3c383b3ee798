"""Files of a stand: ccserver's configuration, app_queue's, and what both of them say and play."""

import shutil
import sqlite3
import wave
from contextlib import closing
from pathlib import Path

import numpy as np

from bench.tones import LOUD, MUSIC_HZ, RATE_HZ
from ccserver.asterisk.render import default_templates_dir
from ccserver.config.places import CHECKOUT
from ccserver.config.schema import Sip
from tests.asterisk_instance import AsteriskInstance

OVERLAY = Path(__file__).parent / "asterisk-conf"
"""What the peer needs of Asterisk besides asterisk-conf/."""
OUR_LINE, OUR_HALL = "88000000001", "88000000002"
HALL_OPERATOR = "1999"
"""The only one of the queue in which customers only wait: he never comes."""
GREETING_S, MENU_S, LEAD_IN_S = 0.5, 3.0, 0.3
PROMPTS = {"nordlis-greeting": GREETING_S, "nordlis-menu": MENU_S, "invalid-key": 0.5, "no-input": 0.5}
MUSIC_S = 30

FLOWS = {
    "sales": """
start = "greeting"
[steps.greeting]
do = "say"
prompts = ["nordlis-greeting"]
next = "menu"
[steps.menu]
do = "menu"
prompts = ["nordlis-menu"]
keys = { 1 = "queue" }
invalid = "invalid-key"
silence = "no-input"
otherwise = "queue"
[steps.queue]
do = "queue"
queue = "sales"
""",
    "hall": """
start = "queue"
[steps.queue]
do = "queue"
queue = "hall"
""",
}
SIP = Sip(registration_s=86400, rtp_timeout_s=0)
"""Phones register once, and a customer who waits says nothing."""
MAIN = """
[node]
name = "bench"
[asterisk]
{ports}
[sip]
registration_s = 86400
rtp_timeout_s = 0
[api]
port = {api_port}
[prompts]
file = "{prompts}"
[rules.not_ready_reasons]
1 = "break"
"""
QUEUE = """
[[queues]]
name = "{name}"
title = "{name}"
wrap_up_s = 0
record = {record}
"""
QUEUE_LOG = "create table queue_log (time, callid, queuename, agent, event, data1, data2, data3, data4, data5)"
PEER_ENDPOINT = """
[{name}](phone)
context = operators
auth = {name}
aors = {name}
[{name}]
type = auth
auth_type = userpass
username = {name}
password = {name}
[{name}]
type = aor
max_contacts = 1
"""


def write_peer(directory: Path, members: list[str]) -> tuple[Path, Path]:
    """Dialplan and templates: the product's, and the peer's on top."""
    dialplans, templates, peer = directory / "config", directory / "templates", peer_dir(directory)
    raw, music = peer / "raw", peer / "music"
    peer.parent.mkdir(parents=True, mode=0o700)
    for made in (peer, raw, music):
        made.mkdir()
    shutil.copytree(default_templates_dir(), templates)
    values = {
        "PEER_RAW": raw,
        "PEER_CDR": peer / "cdr",  # Asterisk adds .db
        "PEER_QUEUE_LOG": peer / "queue_log.db",
        "MEMBERS": "\n".join(f"member => PJSIP/{name}" for name in members),
    }
    for overlay in OVERLAY.glob("*.conf"):
        text = overlay.read_text(encoding="utf-8")
        for key, value in values.items():
            text = text.replace(f"@{key}@", str(value))
        if overlay.name == "peer.conf":
            dialplans.mkdir()
            (dialplans / overlay.name).write_text(text, encoding="utf-8")
        elif overlay.name == "modules.conf":
            modules = (templates / "modules.conf").read_text(encoding="utf-8")
            (templates / "modules.conf").write_text(modules + text, encoding="utf-8")
        else:
            (templates / overlay.name).write_text(text, encoding="utf-8")
    for plan in (CHECKOUT / "dialplans").glob("*.conf"):
        shutil.copy(plan, dialplans)
    _replaced(templates / "musiconhold.conf", "directory = moh", f"directory = {music}")
    _replaced(templates / "logger.conf", "queue_log = no", "queue_log = yes")
    phones = "".join(PEER_ENDPOINT.format(name=name) for name in members)
    with (templates / "pjsip.conf").open("a", encoding="utf-8") as file:
        file.write(phones)
    _write_wav(music / "music.wav", LOUD / 2 * np.sin(2 * np.pi * MUSIC_HZ * np.arange(RATE_HZ * MUSIC_S) / RATE_HZ))
    for name, statement in (("queue_log", QUEUE_LOG), ("cdr", "")):
        with closing(sqlite3.connect(peer / f"{name}.db")) as database, database:
            database.execute(
                "pragma journal_mode = wal"
            )  # as ccserver's store has it: written without waiting for readers
            database.execute(statement)
    return dialplans, templates


def peer_dir(directory: Path) -> Path:
    """Where the peer keeps what it writes: Asterisk may write nowhere but in the state directory."""
    return directory / "state" / "peer"


def _replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name}: no {old!r} in it any more"
    path.write_text(text.replace(old, new), encoding="utf-8")


def write_config(directory: Path, asterisk: AsteriskInstance, api_port: int, operators: list[str]) -> None:
    names = ("http_port", "ami_port", "sip_port", "rtp_start", "rtp_end", "fallback_wait_s")
    ports = "\n".join(f"{name} = {getattr(asterisk.instance, name)}" for name in names)
    parts = [MAIN.format(ports=ports, api_port=api_port, prompts=CHECKOUT / "ivr-prompts" / "prompts.toml")]
    parts += [QUEUE.format(name="sales", record="true"), QUEUE.format(name="hall", record="false")]
    for number, flow in ((OUR_LINE, "sales"), (OUR_HALL, "hall")):
        parts.append(f'[[lines]]\nnumber = "{number}"\nname = "{flow}"\nflow = "{flow}"\nlanguage = "ru"\n')
        (directory / f"{flow}.toml").write_text(FLOWS[flow])
    for extension, queue in (*((name, "sales") for name in operators), (HALL_OPERATOR, "hall")):
        parts.append(f'[[operators]]\nextension = "{extension}"\nname = "Operator"\nqueues = ["{queue}"]\n')
    (directory / "ccserver.toml").write_text("\n".join(parts))


def write_sounds(directory: Path) -> None:
    """Silence: what is said is not what is measured, and no voice is needed to measure it."""
    for language in ("ru", "en"):
        (directory / language).mkdir(parents=True, exist_ok=True)
        for name, seconds in PROMPTS.items():
            _write_wav(directory / language / f"{name}.wav", np.zeros(round(RATE_HZ * seconds)))
    _write_wav(directory / "lead-in.wav", np.zeros(round(RATE_HZ * LEAD_IN_S)))


def _write_wav(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        sound.writeframes(samples.astype("<i2").tobytes())
