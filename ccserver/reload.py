"""A new configuration in a running daemon: all of it or nothing. Asked for by `POST /api/reload` and by SIGHUP.

    read and check (a thread) -> compare -> endpoints of new operators -> ConfigReplaced -> adopted: prompts, access.json

Whoever is on the line keeps the plan he began with. Operators who left finish their talk, and only then their endpoint goes.
Between reloads the files are looked at, and an alarm tells as long as they say something else than what runs.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import structlog
from msgspec import Struct

from ccserver.api.sources import Reloaded
from ccserver.asterisk.errors import AsteriskError
from ccserver.asterisk.files import write_if_changed
from ccserver.asterisk.secrets import Secrets, ensure_secrets
from ccserver.audio import synthesis
from ccserver.audio.errors import PromptsInvalid
from ccserver.audio.prompts import PromptBook, PromptResolver
from ccserver.audio.speech import Speech
from ccserver.audio.wording import book_of
from ccserver.config.diff import Change, differences
from ccserver.config.errors import ConfigErrors, Problem, Severity, listed, shown_path
from ccserver.config.journeys import spoken
from ccserver.config.load import Config, load
from ccserver.config.prompts import OUTBOUND_PROMPTS, reason_prompt
from ccserver.config.running import encoded, running_of, running_path
from ccserver.config.source import field_path, read
from ccserver.connectors.voice import EndpointsRefused, PhoneRules
from ccserver.core import codes, talk_keys
from ccserver.core.agent import Agent, AgentState
from ccserver.core.events import ConfigReplaced
from ccserver.core.floor import Floor
from ccserver.core.ids import AgentId, PlanHash
from ccserver.core.plan import Plan
from ccserver.core.queueing import prompts_told
from ccserver.core.records import AgentSaved, PlanAdopted
from ccserver.core.succession import stranded
from ccserver.ports import Clock, Effort, Inbox, Turn
from ccserver.store.alarm import Alarm

WATCH_S = 2.0
"""How often the files are looked at: only their times and sizes, unless one has changed."""

log = structlog.get_logger("ccserver.reload")


class Phones(Protocol):
    """The operators' phones: `VoiceConnector`."""

    async def hire(self, passwords: dict[AgentId, str], rules: PhoneRules) -> None:
        """Raises `EndpointsRefused`."""
        ...

    def look_at(self, agent: AgentId) -> None:
        """Tell the core of his phone."""
        ...

    def dismiss(self, agent: AgentId) -> None:
        """His phone may register no more."""
        ...


class Candidate(Struct, frozen=True):
    """A configuration that was read and found in order."""

    config: Config
    book: PromptBook
    silent: frozenset[str]
    """`<language>/<prompt>` that somebody would be told, and there is no sound."""
    outdated: tuple[str, ...]
    """Sounds of an older text."""
    changes: tuple[Change, ...]
    """Against what runs."""


class Reloader:
    """`api.sources.Configuration`, and an observer of the engine: it sees when the plan is in force, and who is free."""

    def __init__(
        self,
        config: Config,
        book: PromptBook,
        prompts_dir: Path,
        floor: Floor,
        clock: Clock,
        alarm_of: Callable[[list[str]], None],
    ) -> None:
        """`alarm_of` is told of the prompts that have no sound after a reload."""
        self.in_force = config
        self.alarm: Alarm | None = None
        self.speech = Speech(book, prompts_dir)
        self._book = book
        self._prompts_dir = prompts_dir
        self._floor = floor
        self._clock = clock
        self._alarm_of = alarm_of
        self._silent = _silent(config.plan, book, prompts_dir)
        self._inbox: Inbox
        self._phones: Phones
        self._phone_rules: Callable[[Config], PhoneRules]
        self._tell_access: Callable[[Config, Secrets], None]
        self._asked: asyncio.Queue[asyncio.Future[Reloaded] | None] = asyncio.Queue()
        self._adopted: dict[PlanHash, asyncio.Event] = {}
        self._leaving: set[AgentId] = set()
        self._seen = _signature(config)

    def connect(
        self,
        inbox: Inbox,
        phones: Phones,
        phone_rules: Callable[[Config], PhoneRules],
        tell_access: Callable[[Config, Secrets], None],
    ) -> None:
        """With the parts that a new configuration goes to; tells what runs from now on."""
        self._inbox, self._phones = inbox, phones
        self._phone_rules, self._tell_access = phone_rules, tell_access
        self._keep_running(self.in_force)

    async def reload(self) -> Reloaded:
        """Take up what the files say now; raises `ConfigErrors`, and then nothing has changed. Goes on when the caller leaves."""
        answer: asyncio.Future[Reloaded] = asyncio.get_running_loop().create_future()
        self._asked.put_nowait(answer)
        return await answer

    def ask(self) -> None:
        """The same, for who does not wait (a signal): the log tells what came of it."""
        self._asked.put_nowait(None)

    async def run(self) -> None:
        """Reload when asked, one after the other, and look at the files meanwhile."""
        while True:
            try:
                async with asyncio.timeout(WATCH_S):
                    answer = await self._asked.get()
            except TimeoutError:
                await self._look()
                continue
            try:
                done = await self._reload()
            except ConfigErrors as refused:
                log.error(
                    "reload refused, nothing has changed", problems=[str(problem) for problem in refused.problems]
                )
                if answer is not None and not answer.cancelled():
                    answer.set_exception(refused)
            else:
                log.info("reloaded", changes=[str(change) for change in done.changes])
                if answer is not None and not answer.cancelled():
                    answer.set_result(done)

    def turned(self, turn: Turn, _effort: Effort) -> None:
        """As `ports.Observer`."""
        for record in turn.records:
            match record:
                case PlanAdopted(plan=plan) if plan.hash in self._adopted:
                    self._adopted[plan.hash].set()
                case AgentSaved(agent=agent) if agent.id in self._leaving:
                    self._let_go(agent)

    # --- a reload -----------------------------------------------------------------------------------------------

    async def _reload(self) -> Reloaded:
        before = self.in_force
        # Taken before the reading: a file that is saved meanwhile is seen by the next look.
        self._seen = await asyncio.to_thread(_signature, before)
        try:
            candidate = await asyncio.to_thread(_read, before, self._book, self._prompts_dir)
            changes = candidate.changes
            refused = await asyncio.to_thread(_refusals, before, candidate, self._silent)
            if refused := [*refused, *self._left_waiting(candidate.config)]:
                raise ConfigErrors(refused)
            if changes:
                await self._take_up(candidate)
        except ConfigErrors as errors:
            self._raise_alarm(errors)
            raise
        self.alarm = None
        return Reloaded(configuration=shown_path(before.file), changes=changes, warnings=_warnings(candidate))

    async def _take_up(self, candidate: Candidate) -> None:
        config, plan = candidate.config, candidate.config.plan
        known = set(self.in_force.plan.operators)
        try:
            secrets = await asyncio.to_thread(ensure_secrets, config.state_dir, plan.operators)
            passwords = {agent: secrets.operators[agent] for agent in plan.operators}
            await self._phones.hire(passwords, self._phone_rules(config))
        except (AsteriskError, EndpointsRefused) as error:
            new = listed(sorted(set(plan.operators) - known))
            message = f"the phones of {new or 'the operators'} cannot be admitted now: {error}"
            raise ConfigErrors([Problem(file=shown_path(config.file), field="operators", message=message)]) from None
        if refused := [*self._left_waiting(config)]:  # they came while the phones were admitted
            for agent in plan.operators.keys() - known:
                self._phones.dismiss(agent)
            raise ConfigErrors(refused)
        # Before the plan: nobody may come to a prompt that cannot be said yet.
        self.speech.adopt(candidate.book)
        self._book = candidate.book
        await self._adopt(plan)
        self.in_force = config
        self._silent = candidate.silent
        self._alarm_of(sorted(candidate.silent))
        self._leaving = (self._leaving | known) - set(plan.operators)
        for agent in sorted(self._leaving):
            self._let_go(self._floor.agents[agent])
        for agent in plan.operators.keys() - known:
            self._phones.look_at(agent)
        await asyncio.to_thread(self._keep_running, config)
        with suppress(AsteriskError):  # a full disk has an alarm of its own
            await asyncio.to_thread(self._tell_access, config, secrets)

    async def _adopt(self, plan: Plan) -> None:
        """Returns when the core has the plan and the journal knows."""
        if plan.hash == self._floor.plan.hash:
            return
        adopted = self._adopted[plan.hash] = asyncio.Event()
        self._inbox.put(ConfigReplaced(plan=plan, at=self._clock.now()))
        await adopted.wait()
        del self._adopted[plan.hash]

    def _let_go(self, agent: Agent) -> None:
        """His endpoint goes when nothing rings or talks on his phone, neither ours nor his own."""
        if agent.state is AgentState.LOGGED_OUT and agent.leg is None and not agent.in_use:
            self._leaving.discard(agent.id)
            self._phones.dismiss(agent.id)

    def _keep_running(self, config: Config) -> None:
        with suppress(AsteriskError):
            write_if_changed(config.state_dir, running_path(config.state_dir), encoded(running_of(config)))

    def _left_waiting(self, config: Config) -> Iterator[Problem]:
        """Callers for whom nobody would come any more."""
        for queue, count in stranded(self._floor, config.plan).items():
            message = (
                f"nobody could serve it any more, and {count} contact{' is' if count == 1 else 's are'} in it or may come to it: "
                "lead no flow to it first, and take its operators away when it is empty"
            )
            yield Problem(file=shown_path(config.file), field=f"queues.{queue}", message=message)

    # --- between reloads ----------------------------------------------------------------------------------------

    async def _look(self) -> None:
        """Read the files when one of them has changed, and tell when they say something else than what runs."""
        signature = await asyncio.to_thread(_signature, self.in_force)
        if signature == self._seen:
            return
        self._seen = signature
        try:
            candidate = await asyncio.to_thread(_read, self.in_force, self._book, self._prompts_dir)
        except ConfigErrors as errors:
            self._raise_alarm(errors)
            return
        count = len(candidate.changes)
        others = f"the files say something else than what runs ({count} change{'' if count == 1 else 's'})"
        self._tell(f"{others}: `ccserver check --diff`, then `ccserver reload`" if count else "")

    def _raise_alarm(self, errors: ConfigErrors) -> None:
        others = f" (and {len(errors.problems) - 1} more)" if len(errors.problems) > 1 else ""
        self._tell(f"the files on disk cannot be taken up, what runs goes on: {errors.problems[0]}{others}")

    def _tell(self, text: str) -> None:
        """Since when counts from the first time that something was wrong."""
        since = self.alarm.since if self.alarm else self._clock.now()
        if text and (self.alarm is None or self.alarm.text != text):
            log.warning("configuration", reason=text)
        self.alarm = Alarm(text, since) if text else None


def _read(running: Config, book: PromptBook, prompts_dir: Path) -> Candidate:
    """Read, check and compare; for a thread. Raises `ConfigErrors`: not even our own fault here may end a daemon with calls."""
    try:
        return _candidate(running, book, prompts_dir)
    except ConfigErrors:
        raise
    except PromptsInvalid as error:
        said = str(error).removeprefix(f"{error.path}:{error.line}: ").removeprefix(f"{error.path}: ")
        raise ConfigErrors([Problem(file=shown_path(error.path), line=error.line, message=said)]) from None
    except Exception as error:
        log.exception("the configuration could not be looked at by our own fault")
        message = f"could not be looked at by a fault of the server, whose log says more: {error!r}"
        raise ConfigErrors([Problem(file=shown_path(running.file), message=message)]) from error


def _candidate(running: Config, running_book: PromptBook, prompts_dir: Path) -> Candidate:
    config = load(running.file, state_dir=running.state_dir)
    book = book_of(config)
    changes = differences(running.plan, running_of(running), config.plan, running_of(config))
    if book != running_book and not any(change.field.startswith("prompts.") for change in changes):
        changes = (
            *changes,
            Change("prompts", "the same texts, but the file, a voice or a sound of Asterisk's is another"),
        )
    return Candidate(
        config=config,
        book=book,
        silent=_silent(config.plan, book, prompts_dir),
        outdated=synthesis.outdated(book, config.prompts.file.parent, prompts_dir),
        changes=changes,
    )


def _refusals(before: Config, candidate: Candidate, silent_before: frozenset[str]) -> list[Problem]:
    """Why the whole reload is refused though the files are right; for a thread, for it looks up the lines in them."""
    refused = []
    for change in candidate.changes:
        if change.remedy:
            message = f"{change.what} cannot change in a running daemon: {change.remedy}"
            line = _line(before.file, change.field)
            refused.append(Problem(file=shown_path(before.file), line=line, field=change.field, message=message))
    book_file = candidate.config.prompts.file
    for key in sorted(candidate.silent - silent_before):
        language, _, name = key.partition("/")
        message = f"has no sound in {language} yet, callers would hear silence: run `ccserver prompts build` first"
        refused.append(Problem(file=shown_path(book_file), line=_line(book_file, name), field=name, message=message))
    return refused


def _warnings(candidate: Candidate) -> tuple[Problem, ...]:
    found = [*candidate.config.warnings]
    if candidate.outdated:
        message = f"{len(candidate.outdated)} sounds still say an older text: run `ccserver prompts build`"
        file = shown_path(candidate.config.prompts.file)
        found.append(Problem(file=file, message=message, severity=Severity.WARNING))
    return tuple(found)


def _silent(plan: Plan, book: PromptBook, prompts_dir: Path) -> frozenset[str]:
    """`<language>/<prompt>` that a flow or the server itself would say, and that has no sound."""
    steps = (step for flow in plan.flows.values() for step in flow.steps.values())
    said = {item for step in steps for _, item in spoken(step)}
    said |= {name for queue in plan.queues.values() for name in prompts_told(queue)}
    said |= {*codes.PROMPTS, *talk_keys.PROMPTS, *OUTBOUND_PROMPTS, *map(reason_prompt, plan.rules.not_ready_reasons)}
    return frozenset(key for key in PromptResolver(book, prompts_dir).unbuilt() if key.partition("/")[2] in said)


def _line(file: Path, field: str) -> int:
    """Where it is written; 0 when that cannot be told."""
    try:
        return read(file).line_of(field_path(field))
    except (ConfigErrors, ValueError):
        return 0


def _signature(config: Config) -> tuple[tuple[str, int, int, int], ...]:
    """Of all files that a reload reads: whether one has changed, without reading it."""
    found = []
    for file in sorted(
        [
            *(file for kind in ("toml", "conf", "py", "csv") for file in config.dialplans_dir.glob(f"*.{kind}")),
            config.prompts.file,
        ]
    ):
        with suppress(OSError):
            told = file.stat()
            found.append((str(file), told.st_mtime_ns, told.st_size, told.st_ino))
    return tuple(found)
