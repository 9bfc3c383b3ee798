"""A whole contact centre for one test: Asterisk, the daemon as a process, a store, phones, and the API to look at it.

    async with contact_centre(tmp_path, library, prompts_dir) as centre:
        operator = await centre.operator("1001")            # registered and ready
        call = await centre.dial("88007707999")
        ...
        contact = await centre.finished()                    # the CDR, when the contact is over

Every wait is for an event: the daemon's web socket tells of each change.
"""

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import aiohttp
from asterisk_instance import AsteriskInstance, asterisk_instance, free_port
from msgspec import convert
from prometheus_client.parser import text_string_to_metric_families

from ccserver.asterisk.authority import authority_pair
from ccserver.asterisk.render import prepare
from ccserver.asterisk.secrets import load_secrets
from ccserver.config.load import load
from ccserver.config.schema import Sip, Trunk
from ccserver.sim.phones import Answer, Call, Phone, PhoneLibrary, Sound
from ccserver.store.schema import migrate
from tests.e2e.centre_config import CHECKOUT, QUICK, write_below, write_config, write_flows, write_sip
from tests.e2e.forked import RUN, Forked, begin

LINE, OTHER_LINE = "88007707999", "88007004666"
OPERATORS = ("1001", "1002", "1003")
CALLER_HZ = 440
CALLERS_HZ = (440, 520, 600, 680, 760)
OPERATOR_HZ = {"1001": 880, "1002": 1100, "1003": 1340, "1004": 1580, "1005": 1820, "1011": 2060}
STARTS_WITHIN_S = 40.0
TELLS_WITHIN_S = 20.0
ENDS_WITHIN_S = 40.0
"""With its recording, which is encoded when the machine has nothing better to do."""

NO_SETTINGS: Mapping[str, object] = MappingProxyType({})
NO_WORDS: Mapping[str, str] = MappingProxyType({})

T = TypeVar("T")
Status = dict[str, Any]
Row = dict[str, Any]


class Centre:
    """See the module."""

    def __init__(
        self, asterisk: AsteriskInstance, library: PhoneLibrary, config_dir: Path, api_port: int, stack: AsyncExitStack
    ) -> None:
        self.asterisk = asterisk
        self.library = library
        self.config_dir = config_dir
        self.state_dir = asterisk.instance.state_dir
        self.url = f"http://127.0.0.1:{api_port}"
        self.http: aiohttp.ClientSession
        self.daemon: Forked | None = None
        self.daemons: list[Forked] = []
        self.log_path = self.state_dir / "daemon.log"
        self.server_host = self.phones_at = "127.0.0.1"
        """What phones have as their server, and where they are."""
        self._phones: list[Phone] = []
        self._past: set[str] = set()
        stack.push_async_callback(self._close_phones)

    # --- the daemon ---------------------------------------------------------------------------------------------

    async def start(self, *arguments: str, program: Sequence[str] = RUN) -> None:
        """Start a daemon; returns when it has listed its Asterisk."""
        await self.spawn(*arguments, program=program)
        await self.serving()

    async def spawn(self, *arguments: str, program: Sequence[str] = RUN) -> None:
        """Start a daemon and do not wait for anything."""
        environment = {
            **os.environ,
            "CCSERVER_STATE": str(self.state_dir),
            "CCSERVER_CONFIG": str(self.config_dir),
            "PYTHONPATH": f"{CHECKOUT}{os.pathsep}{CHECKOUT / 'tests'}",
        }
        self.daemon = Forked((*program, *arguments), environment, self.log_path)
        self.daemons.append(self.daemon)

    async def serving(self) -> None:
        """Wait until the daemon answers and its Asterisk is listed."""
        async with asyncio.timeout(STARTS_WITHIN_S):
            while True:
                assert self.daemon is not None
                answered = asyncio.ensure_future(self._once_connected())  # noqa: TID251 - raced with the process's end
                ended = asyncio.ensure_future(self.daemon.wait())  # noqa: TID251
                done, pending = await asyncio.wait({answered, ended}, return_when=asyncio.FIRST_COMPLETED)
                for task in pending:
                    task.cancel()
                await asyncio.gather(*pending, return_exceptions=True)
                if answered in done and answered.exception() is None:
                    return
                assert ended not in done, f"the daemon ended with {ended.result()}:\n{self.log()}"
                await asyncio.sleep(0.05)  # the port is not open yet: nobody can tell us when it will be

    async def _once_connected(self) -> None:
        await self.until(lambda status: status["asterisk"]["connected"] or None, timeout_s=STARTS_WITHIN_S)

    async def kill(self) -> None:
        """kill -9 the daemon; returns when it is gone."""
        assert self.daemon is not None
        self.daemon.send_signal(signal.SIGKILL)
        await self.daemon.wait()

    async def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        assert self.daemon is not None
        self.daemon.terminate()
        return await self.ended()

    async def ended(self, timeout_s: float = 10.0) -> int:
        """Wait until the daemon ends by itself; returns the exit code (negative: the signal that killed it)."""
        assert self.daemon is not None
        async with asyncio.timeout(timeout_s):
            return await self.daemon.wait()

    def log(self) -> str:
        """What all daemons of this centre have logged."""
        return self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.exists() else ""

    async def configure(self, more: str) -> None:
        """Add to `ccserver.toml`, and let Asterisk read again what it is told by it."""
        main = self.config_dir / "ccserver.toml"
        main.write_text(f"{main.read_text(encoding='utf-8')}\n{more}", encoding="utf-8")
        await self.retell(load(self.config_dir, state_dir=self.state_dir).trunks)

    async def retell(self, trunks: Sequence[Trunk]) -> None:
        """As `ccserver asterisk render` and a reload."""
        await asyncio.to_thread(prepare, self.asterisk.instance, self.asterisk.root, (), trunks=trunks)
        await self.asterisk.cli("core reload")

    # --- sharing ------------------------------------------------------------------------------------------------

    async def tidy(self) -> None:
        """As good as new for the next test: no phones, no calls, nobody logged in, no finished contacts known.

        Fails when a call has left anything behind in Asterisk.
        """
        await self._close_phones()
        for agent in (await self.get("/api/status"))["agents"]:
            if agent["state"] != "logged_out":
                await self.set_state(agent["extension"], "logged_out")

        def clean(status: Status) -> bool:
            agents = all(a["state"] == "logged_out" and not a["phone_registered"] for a in status["agents"])
            return agents and not status["contacts"]

        await self.until(clean)
        await self.nothing_left()
        self._past.update(row["id"] for row in await self.contacts())

    async def nothing_left(self) -> None:
        """Wait until Asterisk holds no channel and no bridge."""
        left: list[str] = []
        try:
            async with asyncio.timeout(TELLS_WITHIN_S), self.http.ws_connect(self.url + "/api/live") as socket:
                async for _ in socket:
                    left = [thing["id"] for kind in ("channels", "bridges") for thing in await self.ari(kind)]
                    if not left:
                        return
        except TimeoutError:
            pass
        raise AssertionError(f"left behind in Asterisk: {left}\n{self.log()[-3000:]}")

    async def ari(self, path: str) -> Any:
        """GET from Asterisk itself, past the daemon."""
        url = f"{self.asterisk.instance.ari_url}/{path}"
        async with self.http.get(url, headers=self.asterisk.ari_headers) as response:
            return await response.json()

    async def _close_phones(self) -> None:
        phones, self._phones = self._phones, []
        await asyncio.gather(*(phone.close() for phone in phones))

    # --- the API ------------------------------------------------------------------------------------------------

    async def get(self, path: str) -> Any:
        """GET, which must succeed."""
        async with self.http.get(self.url + path) as response:
            body = await response.json()
            assert response.status == 200, (path, response.status, body)
            return body

    async def metrics(self) -> dict[tuple[str, ...], float]:
        """As Prometheus scrapes them: value by name and label values, in the alphabetical order of the labels' names."""
        async with self.http.get(f"{self.url}/metrics") as response:
            families = text_string_to_metric_families(await response.text())
        return {
            (s.name, *(value for _, value in sorted(s.labels.items()))): s.value for f in families for s in f.samples
        }

    async def until(self, found: Callable[[Status], T | None], timeout_s: float = TELLS_WITHIN_S) -> T:
        """Wait until `found` gives something for the status; fails with the last one."""
        last: Status = {}
        try:
            async with asyncio.timeout(timeout_s), self.http.ws_connect(self.url + "/api/live") as socket:
                async for message in socket:
                    told = json.loads(message.data)
                    if "status" in told:
                        last = told["status"]
                        result = found(last)
                        if result is not None and result is not False:
                            return result
        except TimeoutError:
            pass
        picture = json.dumps({key: last.get(key) for key in ("agents", "contacts")}, ensure_ascii=False)
        raise AssertionError(f"never came true; the last status was {picture}\n{self.log()[-3000:]}")

    async def agent(
        self, extension: str, state: str, reason: str | None = None, timeout_s: float = TELLS_WITHIN_S
    ) -> Row:
        """Wait until the agent is in that state."""

        def look(status: Status) -> Row | None:
            (agent,) = (agent for agent in status["agents"] if agent["extension"] == extension)
            fits = agent["state"] == state and (reason is None or agent["reason"] == reason)
            return agent if fits else None

        return await self.until(look, timeout_s)

    async def contact(self, state: str, timeout_s: float = TELLS_WITHIN_S, **fields: object) -> Row:
        """Wait until some live contact is in that state (and has those fields)."""

        def look(status: Status) -> Row | None:
            for contact in status["contacts"]:
                if contact["state"] == state and all(contact[name] == value for name, value in fields.items()):
                    return dict(contact)
            return None

        return await self.until(look, timeout_s)

    async def finished(self, count: int = 1, *, recorded: bool = False, timeout_s: float = ENDS_WITHIN_S) -> list[Row]:
        """Wait until that many contacts are over; their details in the order of arrival, with segments and offers.

        `recorded`: and until those that were answered have their recording (or its loss) told.
        """
        rows: list[Row] = []
        try:
            async with asyncio.timeout(timeout_s), self.http.ws_connect(self.url + "/api/live") as socket:
                async for _ in socket:
                    rows = [row for row in await self.contacts() if row["ended_at"] is not None]
                    ready = [row for row in rows if not recorded or await self._recording_told(row)]
                    if len(ready) >= count:
                        return [await self.get(f"/api/contacts/{row['id']}") for row in reversed(ready)]
        except TimeoutError:
            pass
        raise AssertionError(f"{count} contacts are not over: {rows}\n{self.log()[-3000:]}")

    async def contacts(self, limit: int = 100) -> list[Row]:
        """The newest first; none that was there when a test before this one ended."""
        rows = (await self.get(f"/api/contacts?limit={limit}"))["contacts"]
        return [row for row in rows if row["id"] not in self._past]

    async def _recording_told(self, row: Row) -> bool:
        if row["outcome"] != "answered" or row["recording"] is not None:
            return True
        kept = (await self.get(f"/api/contacts/{row['id']}"))["recordings"]
        return any(each["kind"] == "talk" for each in kept)

    async def recording(self, contact: Row, path: Path) -> Path:
        """Download the WAV."""
        async with self.http.get(self.url + contact["recording"]) as response:
            assert response.status == 200, await response.text()
            path.write_bytes(await response.read())
        return path

    async def set_state(self, extension: str, state: str, reason: str = "") -> None:
        """Over the API, which must accept it."""
        body = {"state": state, "reason": reason} if reason else {"state": state}
        async with self.http.post(f"{self.url}/api/agents/{extension}/state", json=body) as response:
            assert response.status == 200, await response.text()

    # --- phones -------------------------------------------------------------------------------------------------

    def secure_phone(
        self, extension: str, *, sound: Sound = "encrypted", trust: Path | None = None, host: str = "127.0.0.1"
    ) -> Phone:
        """An operator's phone that speaks TLS, not yet registered; without `trust` it trusts our own authority."""
        trusted = trust or authority_pair(self.state_dir).certificate
        password, port = self.asterisk.secrets.operators[extension], self.asterisk.instance.sip.tls_port
        tone_hz = OPERATOR_HZ[extension]
        phone = Phone(self.library, extension, password, host, port, tone_hz=tone_hz, trust=trusted, sound=sound)
        self._phones.append(phone)
        return phone

    async def phone(self, extension: str, *, answer: Answer = "auto") -> Phone:
        """An operator's phone, registered."""
        password = load_secrets(self.state_dir).operators[extension]  # a reload may have made it
        phone = self._phone(extension, password, OPERATOR_HZ[extension], answer)
        await phone.register()
        return phone

    async def operator(self, extension: str, *, answer: Answer = "auto") -> Phone:
        """An operator, registered and ready, or serving who has been waiting for him."""
        phone = await self.phone(extension, answer=answer)
        await self.set_state(extension, "ready")

        def at_work(status: Status) -> bool:
            return any(
                a["extension"] == extension and a["state"] not in ("logged_out", "unreachable")
                for a in status["agents"]
            )

        await self.until(at_work)
        return phone

    async def operators(self, *extensions: str, answer: Answer = "auto") -> list[Phone]:
        """Several of them; the first has been idle the longest."""
        return [await self.operator(extension, answer=answer) for extension in extensions]

    async def dial(self, line: str = LINE, *, tone_hz: int | None = None, number: str = "") -> Call:
        """A customer dials a line; the call may not be answered yet. He says nothing unless told a tone.

        `number`: his own, as a trunk would tell it.
        """
        phone = self._phone("caller", self.asterisk.secrets.caller_password, tone_hz)
        headers = {"P-Asserted-Identity": f"<sip:{number}@127.0.0.1>"} if number else {}
        return await phone.dial(line, headers=headers)

    async def waiting(self, keys: str = "1", *, line: str = LINE, tone_hz: int = CALLER_HZ) -> Call:
        """A customer who is in the queue, speaking his tone (a pressed key is an answer to the menu, so he types ahead)."""
        call = await self.dial(line)
        await call.wait_up()
        await call.send_dtmf(keys)
        call.say_tone(tone_hz)
        return call

    def _phone(self, user: str, password: str, tone_hz: int | None, answer: Answer = "auto") -> Phone:
        port = self.asterisk.instance.sip_port
        phone = Phone(
            self.library,
            user,
            password,
            self.server_host,
            port,
            answer=answer,
            tone_hz=tone_hz,
            local_host=self.phones_at,
        )
        self._phones.append(phone)
        return phone


def _dialplans(directory: Path, own: str) -> Path:
    """What Asterisk reads: the dialplan of the checkout, where a test has one of its own in a directory with it."""
    if not own:
        return CHECKOUT / "dialplans"
    directory.mkdir()
    for file in (CHECKOUT / "dialplans").glob("*.conf"):
        shutil.copy(file, directory)
    (directory / "own.conf").write_text(own, encoding="utf-8")
    return directory


def segments(contact: Row) -> list[tuple[str, str]]:
    """Kind and outcome of each stretch of a contact."""
    return [(segment["kind"], segment["outcome"]) for segment in contact["segments"]]


def offers(contact: Row) -> list[tuple[str, str]]:
    """Agent and outcome of each offer."""
    return [(offer["agent"], offer["outcome"]) for offer in contact["offers"]]


@asynccontextmanager
async def contact_centre(
    tmp_path: Path,
    library: PhoneLibrary,
    prompts_dir: Path,
    rules: dict[str, str] | None = None,
    *,
    run: bool = True,
    store_url: str = "",
    sip: Mapping[str, object] = NO_SETTINGS,
    encryption: Mapping[str, str] = NO_WORDS,
    flows: Mapping[str, str] = NO_WORDS,
    below: Mapping[str, str] = NO_WORDS,
    more: str = "",
    dialplan: str = "",
    **settings: object,
) -> AsyncIterator[Centre]:
    """A contact centre of its own; `run`: with the daemon serving.

    `store_url`: an empty database in place of SQLite.
    `sip`: settings of `[sip]`, `encryption` of operators by extension, `settings`: of `[asterisk]`, for it and the daemon;
    `flows` by name; `below` adds settings to `ccserver.toml`, each below the line that it names; `more` is added to its end,
    such as trunks; `dialplan`: contexts of the admin's own, beside those that are shipped.
    """
    begin()
    async with AsyncExitStack() as stack:
        api_port = free_port()
        asterisk = await stack.enter_async_context(
            asterisk_instance(
                tmp_path,
                operators=[str(number) for number in range(1001, 1011)],
                sip=convert(dict(sip), Sip),
                dialplans_dir=_dialplans(tmp_path / "dialplans", dialplan),
                **settings,
            )
        )
        ports = {name: getattr(asterisk.instance, name) for name in ("http_port", "ami_port", "sip_port")}
        config_dir = write_config(tmp_path / "config", ports, api_port, QUICK | (rules or {}))
        write_sip(config_dir, sip, encryption, settings)
        write_flows(config_dir, flows)
        write_below(config_dir, below)
        (config_dir / "own.conf").write_text(dialplan, encoding="utf-8")
        shutil.copytree(prompts_dir, asterisk.instance.prompts_dir, dirs_exist_ok=True)
        if store_url:
            with (config_dir / "ccserver.toml").open("a", encoding="utf-8") as main:
                main.write(f'\n[store]\nurl = "{store_url}"\n')
        await migrate(store_url or f"sqlite:///{asterisk.instance.state_dir / 'store.sqlite'}")
        centre = Centre(asterisk, library, config_dir, api_port, stack)
        if more:
            await centre.configure(more)
        headers = {"Authorization": f"Bearer {asterisk.secrets.api_token}"}
        centre.http = await stack.enter_async_context(aiohttp.ClientSession(headers=headers))
        try:
            if run:
                await centre.start()
            yield centre
        finally:
            for daemon in centre.daemons:
                if daemon.returncode is None:
                    daemon.kill()
                    await daemon.wait()
