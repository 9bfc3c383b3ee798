"""What really happened, for bench/load.py: the phones' own logs against the store, Asterisk, the disk and the journal.

`audit` returns what is wrong, one line each; nothing wrong is an empty list. A customer is lost when our side ended his call, or
let it fail, before he talked with anybody.
"""

import asyncio
import sqlite3
import subprocess
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

import aiohttp
from sqlalchemy import text

from bench.load_files import NODE
from bench.load_phones import Phones, Seen
from bench.load_site import Site
from ccserver.replay import replay
from ccserver.store.database import Database
from tests.store_truth import caught_up, unlike

CROSSED_S = 1.0
"""A customer who leaves this soon before or after the operator picks up: either outcome is the truth."""
OFF_BY_S, OFF_BY_PART = 0.5, 0.1
"""How much a recording may differ from the talk: sound that a machine without a free CPU did not carry is not in it."""
ENCODED_WITHIN_S = 60.0
HEARABLE_S = 0.1
"""Of a shorter talk nothing need be recorded."""
HEARD = 6
"""So many recordings are listened to."""
LOUD_DB = -30.0
"""A side on which somebody speaks is louder."""


class Contact(NamedTuple):
    """A row of the CDR, with its offers and recording."""

    id: str
    ani: str
    outcome: str | None
    agent: str | None
    arrived_at: float
    ended_at: float | None
    wait_s: float
    talk_s: float
    entered_at: float | None
    """Into the queue."""
    made_at: float | None
    """The first offer; that and the following are None when there was none."""
    ringing_at: float | None
    answered_at: float | None
    offers: int
    recording: str | None
    recorded_s: float | None
    line: str


class Truth(NamedTuple):
    """Everything that is known when all is over."""

    contacts: list[Contact]
    wrong: list[str]
    lost: list[str]
    """Numbers of customers."""
    outcomes: Counter[str]


_CONTACTS = """
select contact.id, ltrim(ani, '+'), contact.outcome, contact.agent, arrived_at, contact.ended_at, wait_s, talk_s,
  segment.started_at,
  offer.made_at, offer.ringing_at, offer.answered_at, (select count(*) from offer where offer.contact = contact.id),
  recording.path, recording.duration_s, contact.line
from contact
left join segment on segment.contact = contact.id and segment.kind = 'queue'
left join offer on offer.id = contact.id || '.1'
left join recording on recording.contact = contact.id and recording.kind = 'talk'
order by arrived_at"""
_OVERLAPS = """
with span as ({span}) select a.who, a.what, b.what from span a join span b
on a.who = b.who and a.rowid < b.rowid and a.started_at < b.ended_at - 0.001 and b.started_at < a.ended_at - 0.001"""
_TALKS = """select row_number() over () as rowid, agent as who, contact as what, started_at, ended_at
from segment where kind = 'talk'"""
_INTERVALS = """select row_number() over () as rowid, agent as who, state || ' ' || n as what, started_at, ended_at
from agent_interval"""
_UNCLOSED = """
select 'contact ' || id from contact where ended_at is null or outcome is null union all
select 'segment ' || contact || ' ' || kind from segment where ended_at is null or outcome is null union all
select 'offer ' || id from offer where outcome is null or ended_at is null and outcome <> 'accepted'"""


async def audit(site: Site, phones: Phones, *, recorded: Collection[str], by_length: bool = True) -> Truth:
    """Look at everything; the crowds are done and the centre is at rest. `recorded`: the lines whose talks are.

    `by_length`: a recording is as long as its talk. On a machine without a free CPU sound is not carried, and not recorded.
    """
    if recorded:
        await _encoded(site)
    operators, customers = phones.seen("operators"), phones.seen("customers")
    store = Database(site.store_url)
    async with store.transaction() as connection:
        contacts = [Contact(*row) for row in await connection.execute(text(_CONTACTS))]
        wrong = [f"not closed: {what}" for (what,) in await connection.execute(text(_UNCLOSED))]
        overlaps = {"two talks at once": _TALKS, "overlapping intervals": _INTERVALS}
        for told, span in overlaps.items():
            rows = await connection.execute(text(_OVERLAPS.format(span=span)))
            wrong += [f"{told}: {tuple(row)}" for row in rows]
    await store.close()
    dialled = {seen.number for seen in customers if seen.what == "dialled"}
    wrong += _cdrs(contacts, dialled)
    wrong += _talked_twice(operators)
    lost = _lost(dialled, customers, operators)
    wrong += [f"lost: {number}" for number in lost]
    wrong += _outcomes(contacts, customers, operators)
    if recorded:
        wrong += _recordings(contacts, recorded, site.state_dir / "recordings", by_length=by_length)
    wrong += [line async for line in _left_over(site)]
    report = replay(site.state_dir / "journal.sqlite")
    if not report.same:
        wrong.append(f"replay: {report.text}")
    return Truth(contacts, wrong, lost, Counter(contact.outcome or "open" for contact in contacts))


async def _encoded(site: Site) -> None:
    """Wait until no recording is awaited any more."""
    awaited = "select count(*) from live where kind = 'recording'"
    with suppress(TimeoutError), closing(sqlite3.connect(site.state_dir / "journal.sqlite")) as journal:
        async with asyncio.timeout(ENCODED_WITHIN_S):
            while journal.execute(awaited).fetchone()[0]:  # noqa: ASYNC110 - another process's file
                await asyncio.sleep(0.5)
            await asyncio.sleep(0.5)  # the last of them is told to the store


def _cdrs(contacts: Iterable[Contact], dialled: set[str]) -> Iterator[str]:
    rows = Counter(contact.ani for contact in contacts)
    yield from (f"{number} dialled and has {rows[number]} CDR rows" for number in sorted(dialled) if rows[number] != 1)
    yield from (f"{number} has a CDR row and never dialled" for number in sorted(rows.keys() - dialled))


def _talked_twice(operators: Iterable[Seen]) -> Iterator[str]:
    """By the phones alone: one talk a customer, one call at a time a phone."""
    busy: dict[str, str] = {}
    talked: defaultdict[str, list[str]] = defaultdict(list)
    for seen in operators:
        match seen.what:
            case "rang":
                if seen.extension in busy:
                    yield f"{seen.extension} was rung by {seen.number} while with {busy[seen.extension]}"
                busy[seen.extension] = seen.number
            case "up":
                talked[seen.number].append(seen.extension)
            case _:
                busy.pop(seen.extension, None)
    yield from (f"{number} talked with {who}" for number, who in talked.items() if len(who) > 1)


def _lost(dialled: set[str], customers: Iterable[Seen], operators: Iterable[Seen]) -> list[str]:
    talked = {seen.number for seen in operators if seen.what == "up"}
    left = {seen.number for seen in customers if seen.what == "left"}
    return sorted(dialled - talked - left)


def _outcomes(contacts: Iterable[Contact], customers: Iterable[Seen], operators: Iterable[Seen]) -> Iterator[str]:
    """The CDR tells what the phones saw."""
    up = {seen.number: seen for seen in operators if seen.what == "up"}
    left = {seen.number: seen.at for seen in customers if seen.what == "left"}
    for contact in contacts:
        talk = up.get(contact.ani)
        crossed = talk is not None and abs(left.get(contact.ani, 0.0) - talk.at) < CROSSED_S
        if crossed:
            continue
        if talk is not None and (contact.outcome, contact.agent) != ("answered", talk.extension):
            yield f"{contact.id} talked with {talk.extension}, its CDR says {contact.outcome} {contact.agent}"
        if talk is None and contact.outcome not in ("abandoned", "flow_abandoned"):
            yield f"{contact.id} talked with nobody, its CDR says {contact.outcome}"


async def against_cel(site: Site) -> list[str]:
    """What journal, store and CEL tell otherwise than each other; the daemon is ended by it."""
    journal = site.state_dir / "journal.sqlite"
    await caught_up(journal, site.store_url, NODE)
    await site.end()
    return [line async for line in unlike(journal, site.store_url, site.asterisk.instance.cel_path, NODE)]


def _recordings(
    contacts: Iterable[Contact], recorded: Collection[str], directory: Path, *, by_length: bool
) -> Iterator[str]:
    """One for each answered contact of these lines, as long as the talk; both sides are on it."""
    heard = 0
    for contact in contacts:
        if contact.outcome != "answered" or contact.line not in recorded:
            if contact.recording is not None:
                yield f"{contact.id} has a recording and should have none"
            continue
        if contact.talk_s < HEARABLE_S:
            continue
        if contact.recording is None or contact.recorded_s is None:
            yield f"{contact.id} has no recording"
            continue
        if by_length and abs(contact.recorded_s - contact.talk_s) > OFF_BY_S + OFF_BY_PART * contact.talk_s:
            yield f"{contact.id} talked {contact.talk_s:.2f} s, its recording has {contact.recorded_s:.2f} s"
        if heard < HEARD and contact.talk_s > 1:
            heard += 1
            yield from (f"{contact.id}: {side} is not heard" for side in _silent(directory / contact.recording))
    # What a killed daemon did not discard (nobody talked) goes when it is a day old.
    raw = {path.name.rpartition("-")[0] for path in (directory / "raw").iterdir()}
    yield from (f"left over: {c.id}" for c in contacts if c.id in raw and c.talk_s >= HEARABLE_S)


def _silent(recording: Path) -> Iterator[str]:
    for side, channel in (("the customer", "c0"), ("the operator", "c1")):
        filters = ["-af", f"pan=mono|c0={channel},volumedetect", "-f", "null", "-"]
        told = subprocess.run(
            ["ffmpeg", "-hide_banner", "-i", str(recording), *filters], capture_output=True, text=True, check=False
        ).stderr
        loudness = [line.split(":")[1].split()[0] for line in told.splitlines() if "mean_volume" in line]
        if not loudness or float(loudness[0]) < LOUD_DB:
            yield f"{side} ({loudness[0] if loudness else 'unreadable'} dB)"


async def _left_over(site: Site) -> AsyncIterator[str]:
    """Nothing of the calls is left in Asterisk, and nobody is stuck."""
    ari, login = site.asterisk.instance.ari_url, site.asterisk.ari_headers
    for kind in ("channels", "bridges"):
        async with aiohttp.ClientSession(headers=login) as http, http.get(f"{ari}/{kind}") as response:
            for thing in await response.json():
                yield f"left over in Asterisk: {kind} {thing['id']}"
    status = await site.get("/api/status")
    for contact in status["contacts"]:
        yield f"still live: {contact['id']} {contact['state']}"
    for agent in status["agents"]:
        if agent["state"] != "ready":
            yield f"stuck: {agent['extension']} {agent['state']} {agent['reason']} {agent['contact']}"
