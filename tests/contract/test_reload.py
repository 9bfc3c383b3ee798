"""A reload with real files, engine and journal: what is taken up, what is refused, and that a refusal leaves nothing behind.

Asterisk is not here (tests/e2e/test_reload.py has it): the phones only note what is asked of them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ccserver import reload
from ccserver.app import SystemClock, phone_rules
from ccserver.asterisk.secrets import Secrets, load_secrets
from ccserver.audio.prompts import PromptResolver
from ccserver.audio.wording import book_of
from ccserver.config.errors import ConfigErrors
from ccserver.config.load import Config
from ccserver.config.running import read_running
from ccserver.connectors.voice import EndpointsRefused, PhoneRules
from ccserver.core import conversation
from ccserver.core.commands import Command
from ccserver.core.events import ConfigReplaced, ContactArrived, PhoneChanged
from ccserver.core.ids import AgentId, ContactId, LegId, LineNumber, NodeName
from ccserver.core.router import Router
from ccserver.engine import Engine, Limits
from ccserver.reload import Reloader
from ccserver.store.feed import LiveFeed
from ccserver.store.journal import SqliteJournal
from ccserver.store.journal_file import JournalReader
from tests.config_site import Site

NEW = '\n[[operators]]\nextension = "1011"\nname = "Светлана Ким"\nskills = { orders = 4 }\nqueues = ["orders"]\n'
SALE = '\n[autumn-sale]\nru = "Осенняя распродажа."\nen = "Autumn sale."\n'


class Phones:
    """What was asked of the operators' phones, in order; `away`: Asterisk takes nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False
        self.meanwhile: Callable[[], None] = lambda: None
        self.dismissed: asyncio.Queue[AgentId] = asyncio.Queue()

    async def hire(self, passwords: dict[AgentId, str], rules: PhoneRules) -> None:
        if self.away:
            raise EndpointsRefused("Asterisk does not answer")
        self.asked.append(f"hire {len(passwords)}")
        self.meanwhile()

    def look_at(self, agent: AgentId) -> None:
        self.asked.append(f"look at {agent}")

    def dismiss(self, agent: AgentId) -> None:
        self.asked.append(f"dismiss {agent}")
        self.dismissed.put_nowait(agent)


class Daemon:
    """As much of it as a reload touches."""

    def __init__(self, site: Site, journal: SqliteJournal) -> None:
        self.site = site
        self.journal = journal
        self.config = site.load()
        self.state_dir = self.config.state_dir
        self.book = book_of(self.config)
        self.sounds = self.state_dir / "prompts"
        self.phones = Phones()
        self.told: list[tuple[int, int]] = []
        """Operators and lines of each access.json."""
        self.unbuilt: list[str] = []
        router, clock = Router(), SystemClock()
        self.floor = router.floor
        self.reloader = Reloader(self.config, self.book, self.sounds, router.floor, clock, self.expect)
        self.engine = Engine(router, journal, LiveFeed(), clock, Limits(), (self.reloader,))
        self.engine.connect(dict.fromkeys(Command.__args__, self))  # type: ignore[attr-defined]
        self.engine.put(ConfigReplaced(plan=self.config.plan, at=clock.now()))
        self.reloader.connect(self.engine, self.phones, phone_rules, self.tell)

    def expect(self, missing: list[str]) -> None:
        self.unbuilt = missing

    def perform(self, command: Command) -> None:
        assert self.floor.contacts, f"a reload commands nothing: {command}"

    async def run(self) -> None:
        raise AssertionError

    def call(self) -> None:
        """A caller comes into the flow of Nordlis."""
        arrived = ContactArrived(
            ContactId("cc1-1.1"), LegId("1.1"), NodeName("cc1"), LineNumber("88007707999"), "+7916", 0.0, at=0.0
        )
        self.floor.now = max(self.floor.now, 1.0)
        conversation.arrive(self.floor, arrived)

    def tell(self, config: Config, secrets: Secrets) -> None:
        self.told.append((len(config.plan.operators), len(config.plan.lines)))

    async def refused(self) -> str:
        """A reload that must be refused, and change nothing; every reason, a line each."""
        before = (
            self.reloader.in_force,
            self.floor.plan,
            list(self.phones.asked),
            list(self.told),
            self.journal.next_seq,
        )
        with pytest.raises(ConfigErrors) as caught:
            await self.reloader.reload()
        after = (self.reloader.in_force, self.floor.plan, self.phones.asked, self.told, self.journal.next_seq)
        assert after == before
        assert self.reloader.alarm is not None and "cannot be taken up" in self.reloader.alarm.text
        return self.site.short(str(caught.value))


@asynccontextmanager
async def running(tmp_path: Path) -> AsyncIterator[Daemon]:
    site = Site(tmp_path)
    sounds = tmp_path / "var" / "prompts"
    for key in PromptResolver(book_of(site.load()), sounds).unbuilt():
        (sounds / key).parent.mkdir(parents=True, exist_ok=True)
        (sounds / f"{key}.wav").touch()
    with SqliteJournal(tmp_path / "var" / "journal.sqlite") as journal:
        daemon = Daemon(site, journal)
        daemon.engine.turn()
        async with asyncio.TaskGroup() as tasks:
            turning = tasks.create_task(daemon.engine.run(), name="engine")
            reloading = tasks.create_task(daemon.reloader.run(), name="reloader")
            yield daemon
            reloading.cancel()
            daemon.engine.stop()
            await turning


async def test_with_nothing_changed_nothing_is_done(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        assert (await daemon.reloader.reload()).changes == ()
        assert (daemon.phones.asked, daemon.told) == ([], [])


async def test_a_new_plan_is_in_the_journal_when_the_answer_comes_and_a_second_reload_does_nothing(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as daemon:
        daemon.site.append("ccserver.toml", NEW)
        daemon.site.change("ccserver.toml", "ring_timeout_s = 20", "ring_timeout_s = 25")
        done = await daemon.reloader.reload()
        assert [change.field for change in done.changes] == ["queues.orders.ring_timeout_s", "operators.1011"]
        with JournalReader(daemon.journal.path) as reader:
            assert reader.restore().plan == daemon.reloader.in_force.plan == daemon.floor.plan
        assert daemon.phones.asked == ["hire 11", "look at 1011"]
        assert load_secrets(daemon.state_dir).operators["1011"]
        assert daemon.told == [(11, 2)]
        assert (await daemon.reloader.reload()).changes == ()
        assert len(daemon.phones.asked) == 2


async def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        daemon.site.append("ccserver.toml", NEW)
        daemon.site.change("ccserver.toml", "ring_timeout_s = 20", "ring_timeout_s = 2")
        daemon.site.change("nordlis.toml", '1 = "orders"', '1 = "order"')
        assert len((await daemon.refused()).splitlines()) == 2
        daemon.site.change("ccserver.toml", "ring_timeout_s = 2\n", "ring_timeout_s = 21\n")
        daemon.site.change("nordlis.toml", '1 = "order"', '1 = "orders"')
        await daemon.reloader.reload()
        assert daemon.reloader.alarm is None


async def test_prompts_toml_is_read_by_who_knows_all_of_it(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        line = daemon.site.append("prompts.toml", '\n[Wrong_Name]\nru = "x"\nen = "y"\n')
        assert await daemon.refused() == (
            f"prompts.toml:{line + 1}: [Wrong_Name]: expected a prompt's name in kebab-case: small letters, digits and hyphens"
        )


async def test_what_needs_a_restart_is_refused_with_its_line_and_takes_the_rest_with_it(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        daemon.site.append("ccserver.toml", NEW)
        port = daemon.site.change("ccserver.toml", "port = 8080", "port = 8081")
        refused = await daemon.refused()
        assert refused.startswith(
            f"ccserver.toml:{port}: api.port: 8080 -> 8081 cannot change in a running daemon: restart"
        )
        assert not (daemon.state_dir / "secrets.toml").exists()


async def test_a_prompt_without_a_sound_is_refused_until_it_is_built(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        at = daemon.site.append("prompts.toml", SALE)
        daemon.site.change("nordlis.toml", '"opening-hours"', '"autumn-sale"')
        refused = (await daemon.refused()).splitlines()
        assert [line.partition(" yet")[0] for line in refused] == [
            f"prompts.toml:{at + 1}: autumn-sale: has no sound in {language}" for language in ("en", "ru")
        ]
        for language in ("ru", "en"):
            (daemon.sounds / language / "autumn-sale.wav").touch()
        await daemon.reloader.reload()
        for prompt in ("autumn-sale", "opening-hours"):
            assert daemon.reloader.speech.media(prompt, "ru").endswith(f"/ru/{prompt}")


async def test_a_prompt_that_nobody_says_may_be_built_later(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        daemon.site.append("prompts.toml", SALE)
        assert [change.field for change in (await daemon.reloader.reload()).changes] == ["prompts.autumn-sale"]
        assert daemon.unbuilt == []
        running_now = read_running(daemon.state_dir)
        assert running_now is not None and running_now.prompts["autumn-sale.en"] == "Autumn sale."


async def test_a_prompt_that_asterisk_says_by_another_sound_is_taken_up_too(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        assert daemon.reloader.speech.media("all-busy-please-wait", "ru") == "sound:queue-periodic-announce"
        daemon.site.change("prompts.toml", '"queue-periodic-announce"', '"queue-holdtime"')
        assert [change.field for change in (await daemon.reloader.reload()).changes] == ["prompts"]
        assert daemon.reloader.speech.media("all-busy-please-wait", "ru") == "sound:queue-holdtime"
        assert (await daemon.reloader.reload()).changes == ()


async def test_when_asterisk_takes_no_endpoints_nothing_has_changed(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        daemon.site.append("ccserver.toml", NEW)
        daemon.phones.away = True
        refused = await daemon.refused()
        assert refused == (
            "ccserver.toml: operators: the phones of 1011 cannot be admitted now: Asterisk does not answer"
        )


async def test_a_caller_who_comes_to_a_queue_at_the_last_moment_is_not_left_alone_in_it(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        text = daemon.site.file("ccserver.toml").read_text().replace('["orders", "service"]', '["orders"]')
        begin, end = text.index('[[queues]]\nname = "service"'), text.index("# --- operators")
        daemon.site.file("ccserver.toml").write_text(text[:begin] + text[end:] + NEW)
        for flow in ("nordlis.toml", "velmira.toml"):
            path = daemon.site.file(flow)
            path.write_text(path.read_text().replace('queue = "service"', 'queue = "orders"'))
        daemon.phones.meanwhile = daemon.call
        said = r"queues\.service: nobody could serve it any more, and 1 contact is in it"
        with pytest.raises(ConfigErrors, match=said):
            await daemon.reloader.reload()
        assert daemon.phones.asked == ["hire 11", "dismiss 1011"]
        assert daemon.floor.plan == daemon.config.plan


async def test_who_left_keeps_his_endpoint_while_his_phone_is_in_a_call(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        daemon.engine.put(PhoneChanged(AgentId("1010"), True, True, at=0))
        text = daemon.site.file("ccserver.toml").read_text()
        begin = text.index('[[operators]]\nextension = "1009"')
        daemon.site.file("ccserver.toml").write_text(text[:begin])
        await daemon.reloader.reload()
        assert daemon.phones.asked == ["hire 8", "dismiss 1009"]
        daemon.engine.put(PhoneChanged(AgentId("1010"), True, False, at=0))
        async with asyncio.timeout(20):
            assert await daemon.phones.dismissed.get() == "1009"
            assert await daemon.phones.dismissed.get() == "1010"


async def test_a_fault_of_our_own_in_the_comparison_is_told_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as daemon:

        def broken(*_: object) -> None:
            raise ZeroDivisionError("oops")

        monkeypatch.setattr(reload, "differences", broken)
        assert "by a fault of the server, whose log says more: ZeroDivisionError('oops')" in await daemon.refused()
        monkeypatch.undo()
        assert (await daemon.reloader.reload()).changes == ()


async def test_the_files_are_looked_at_between_reloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reload, "WATCH_S", 0.01)
    async with running(tmp_path) as daemon:

        async def alarm(said: str) -> float:
            async with asyncio.timeout(20):
                while said not in (daemon.reloader.alarm.text if daemon.reloader.alarm else "nothing"):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)  # files tell nobody that they changed
            return daemon.reloader.alarm.since if daemon.reloader.alarm else 0.0

        daemon.site.change("ccserver.toml", "ring_timeout_s = 20", "ring_timeout_s = 25")
        since = await alarm("the files say something else than what runs (1 change)")
        daemon.site.change("ccserver.toml", "ring_timeout_s = 25", "ring_timeout_s = 0")
        assert await alarm("cannot be taken up, what runs goes on") == since
        daemon.site.change("ccserver.toml", "ring_timeout_s = 0", "ring_timeout_s = 20")
        await alarm("nothing")
