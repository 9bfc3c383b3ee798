"""PostgreSQL goes away under calls, in every way it can: calls go on, an alarm tells, and what happened is kept once."""

import asyncio
import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from ccserver.sim.phones import Call, Phone, PhoneLibrary
from tests.e2e.centre import CALLER_HZ, OPERATOR_HZ, Centre, contact_centre, segments
from tests.e2e.installation import Installation
from tests.store_databases import PostgresServer, postgres
from tests.store_troubles import TROUBLES, a_standby, down, migrated, silent
from tests.store_truth import caught_up, unlike

__all__ = ["postgres"]

ANSWERED = [("flow", "queued"), ("queue", "answered"), ("talk", "caller_left")]


async def told(centre: Centre, message: str) -> None:
    """Wait until the store's alarm says so; a load balancer is told nothing of it, who asks for rows is."""

    def raised(status: dict[str, Any]) -> bool:
        return any(a["name"] == "store" and re.search(message, a["message"]) for a in status["alarms"])

    await centre.until(raised, 40)
    async with centre.http.get(f"{centre.url}/healthz") as response:
        assert (response.status, (await response.json())["reasons"]) == (200, [])
    assert re.search(f"event=store_unavailable reason=.*{message}", centre.log().replace('\\"', '"'))


async def serves_again(centre: Centre) -> None:
    await centre.until(lambda status: "store" not in [alarm["name"] for alarm in status["alarms"]], 40)


async def talking(centre: Centre, phone: Phone) -> tuple[Call, Call]:
    """A customer and the operator, who hear each other."""
    await centre.agent("1001", "ready")
    caller = await centre.waiting("1")
    answered = await phone.wait_call(10)
    await answered.wait_up()
    await hear_each_other(caller, answered)
    return caller, answered


async def hear_each_other(caller: Call, answered: Call) -> None:
    await caller.hears(OPERATOR_HZ["1001"])
    await answered.hears(CALLER_HZ)


async def ended(caller: Call, answered: Call) -> None:
    await caller.hangup()
    await answered.wait_gone()


async def everything_is_there_once(centre: Centre, url: str) -> None:
    """Stops the daemon."""
    await centre.agent("1001", "ready")
    journal, cel = centre.state_dir / "journal.sqlite", centre.asterisk.instance.cel_path
    async with asyncio.timeout(20):
        await caught_up(journal, url, "cc1")
    assert await centre.stop() == 0
    wrong = [line async for line in unlike(journal, url, cel, "cc1")]
    assert not wrong, "\n".join(wrong)


async def test_calls_go_on_while_the_server_is_down_or_silent_and_then_everything_is_there_once(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path, postgres: PostgresServer
) -> None:
    url = postgres.new_database(role=postgres.new_role())
    async with contact_centre(tmp_path, library, prompts_dir, store_url=url) as centre:
        phone = await centre.operator("1001")
        talk = await talking(centre, phone)
        await asyncio.to_thread(postgres.stop)
        await hear_each_other(*talk)
        await ended(*talk)
        await told(centre, "nobody listens there; start PostgreSQL")
        async with centre.http.get(f"{centre.url}/api/contacts") as response:
            assert response.status == 503
        talk = await talking(centre, phone)
        await centre.kill()
        await hear_each_other(*talk)
        await centre.start()
        await told(centre, "nobody listens there; start PostgreSQL")
        await ended(*talk)
        await asyncio.to_thread(postgres.start)
        await serves_again(centre)
        assert [segments(contact) for contact in await centre.finished(2, recorded=True)] == [ANSWERED] * 2

        with postgres.silent():
            await ended(*await talking(centre, phone))
            await told(centre, "no answer in time; see that PostgreSQL answers")
            talk = await talking(centre, phone)
            assert await centre.stop() == 0
            await centre.start()
            await told(centre, "no answer in time; see that PostgreSQL answers")
            await ended(*talk)
        await serves_again(centre)
        assert [segments(contact) for contact in await centre.finished(4, recorded=True)] == [ANSWERED] * 4
        await everything_is_there_once(centre, url)
        assert "Traceback" not in centre.log()


async def test_the_daemon_starts_and_takes_calls_whatever_is_wrong_with_the_store_and_the_doctor_names_it(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path, postgres: PostgresServer
) -> None:
    first = await migrated(postgres)
    async with AsyncExitStack() as stack:
        centre = await stack.enter_async_context(
            contact_centre(tmp_path, library, prompts_dir, store_url=first, run=False)
        )
        phone: Phone | None = None
        for trouble, message, mend in TROUBLES:
            if trouble in (a_standby, down, silent):
                continue  # as `set_read_only` for the daemon; and the test above
            async with trouble(postgres) as url:
                main = centre.config_dir / "ccserver.toml"
                main.write_text(re.sub(r'url = "postgresql.*"', f'url = "{url}"', main.read_text("utf-8")), "utf-8")
                await centre.start()
                phone = phone or await centre.operator("1001")
                await ended(*await talking(centre, phone))
                await told(centre, message)
                doctor = await asyncio.to_thread(Installation(tmp_path).doctor)
                assert re.search(mend, doctor["store"]), (trouble, doctor)
            await serves_again(centre)
            await everything_is_there_once(centre, url)
        assert "Traceback" not in centre.log()
