"""Three operators' phones on a table and an Asterisk without the daemon: what the tests of the phones work with."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from asterisk_instance import DIALPLANS_DIR, AsteriskInstance, asterisk_instance

from ccserver.ari import AriClient
from ccserver.asterisk.settings import ARI_USER
from ccserver.sim.phones import Answer, Call, Phone, PhoneLibrary

HZ = {"1001": 500, "1002": 800, "1003": 1100}
PROMPT = Path("ru") / "velmira-greeting"

# What the phones can dial beside one another: a prompt, music, and someone who repeats the keys he is sent.
EXTENSIONS = """
[operators]
exten => 701,1,Answer()
 same => n,Playback(@PROMPT@)
 same => n,Wait(10)
exten => 702,1,Answer()
 same => n,MusicOnHold()
exten => 703,1,Answer()
 same => n,Read(KEYS,,4)
 same => n,SendDTMF(${KEYS})
 same => n,Wait(10)
"""


@asynccontextmanager
async def asterisk_for_phones(base: Path, prompts_dir: Path) -> AsyncIterator[AsteriskInstance]:
    """A booted Asterisk that knows three operators; no daemon."""
    dialplans = shutil.copytree(DIALPLANS_DIR, base / "dialplans")
    async with asterisk_instance(base, operators=HZ, dialplans_dir=dialplans) as running:
        prompt = running.instance.prompts_dir / PROMPT
        (dialplans / "phones.conf").write_text(EXTENSIONS.replace("@PROMPT@", str(prompt)), encoding="utf-8")
        shutil.copytree(prompts_dir, running.instance.prompts_dir, dirs_exist_ok=True)
        await running.cli("dialplan reload")
        async with AriClient(running.instance.ari_url, ARI_USER, running.secrets.ari_password) as ari:
            for user, password in running.secrets.operators.items():
                auth = {"auth_type": "userpass", "username": user, "password": password}
                await ari.put_dynamic_config("auth", user, auth)
                await ari.put_dynamic_config("aor", user, {"max_contacts": "1", "remove_existing": "yes"})
                endpoint = {"aors": user, "auth": user, "context": "operators", "transport": "udp"}
                endpoint |= {"disallow": "all", "allow": "alaw,ulaw", "direct_media": "no", "rewrite_contact": "yes"}
                # Nobody is there to take up what their transfer keys want: it leads where their other calls do.
                endpoint |= {"send_connected_line": "no", "set_var": "TRANSFER_CONTEXT=operators"}
                await ari.put_dynamic_config("endpoint", user, endpoint)
        yield running


class Desk:
    """Phones of the three operators, closed after the test."""

    def __init__(self, asterisk: AsteriskInstance, library: PhoneLibrary, stack: AsyncExitStack) -> None:
        self.asterisk = asterisk
        self.library = library
        self._stack = stack

    async def phone(self, user: str, *, answer: Answer = "auto") -> Phone:
        password = self.asterisk.secrets.operators[user]
        port = self.asterisk.instance.sip_port
        phone = Phone(self.library, user, password, port=port, answer=answer, tone_hz=HZ[user])
        return await self._stack.enter_async_context(phone)

    async def talking(self) -> tuple[Call, Call]:
        """A call of 1001 to 1002 that both are in."""
        caller, callee = await self.phone("1001"), await self.phone("1002")
        call = await caller.dial("1002")
        answered = await callee.wait_call()
        await asyncio.gather(call.wait_up(), answered.wait_up())
        return call, answered
