"""A function of the admin's own decides where a caller goes; a hang of it is no hang of the daemon, and a kill asks it again."""

import asyncio
from pathlib import Path

from ccserver.sim.phones import PhoneLibrary
from tests.e2e.centre import contact_centre
from tests.e2e.centre_config import BRISK_LINE
from tests.e2e.hearing import Hearing

FLOW = """
start = "ask"
[steps.ask]
do = "python"
function = "own.way"
ways = { gold = "bye" }
take = ["sum"]
timeout_s = 3
next = "sorry"
failed = "sorry"
[steps.bye]
do = "hangup"
prompts = ["goodbye"]
[steps.sorry]
do = "hangup"
prompts = ["reason-3"]
"""
OWN = """
import pathlib
import time

def way(variables):
    if variables["ani"].endswith("7777"):
        return "gold", {"sum": 12}
    here = pathlib.Path(%r)
    with here.open("a") as asked:
        asked.write(variables["ani"] + "\\n")
    if len(here.read_text().splitlines()) > 1:
        return "gold"
    time.sleep(60)
"""


async def test_a_function_decides_and_is_stopped_when_it_hangs_and_is_asked_again_after_a_kill(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path
) -> None:
    async with contact_centre(tmp_path, library, prompts_dir, run=False, flows={"brisk": FLOW}) as centre:
        asked = tmp_path / "asked"
        (centre.config_dir / "own.py").write_text(OWN % str(asked))
        await centre.start()
        caller = await centre.dial(BRISK_LINE, number="+74951237777")
        await Hearing(centre, caller).hears("goodbye")
        await caller.wait_gone()

        caller = await centre.dial(BRISK_LINE, number="+74951231111")
        async with asyncio.timeout(20):
            await centre.get("/api/status")  # the daemon answers while the function hangs
            await Hearing(centre, caller).hears("reason-3")
        await caller.wait_gone()
        assert "did not end within 3 s and was stopped" in centre.log()

        asked.unlink()
        caller = await centre.dial(BRISK_LINE, number="+74951231111")
        await centre.contact("flow")
        async with asyncio.timeout(20):
            while not asked.exists():  # noqa: ASYNC110 - the function's own file: nobody tells of it
                await asyncio.sleep(0.02)
        await centre.kill()
        await centre.start()
        await Hearing(centre, caller).hears("goodbye")
        rows = await centre.finished(3)
        assert {row["outcome"] for row in rows} == {"flow_completed"}
