"""An extension of the admin's enters a flow, and a flow hands its caller to a context of the admin's and takes him back."""

from pathlib import Path

from ccserver.sim.phones import Call, PhoneLibrary
from tests.e2e.centre import LINE, Centre, contact_centre
from tests.e2e.hearing import Hearing

DIALPLAN = """
[lines]
exten => 7001,1,Gosub(to-flow,s,1(own))

[loyalty]
exten => 100,1,Answer()
 same => n,Read(FLOW_level,${CC_PROMPTS}/ru/reason-1,1,,1,30)
 same => n,Set(FLOW_secret=not allowed)
 same => n,Set(FLOW_told=${FLOW_ani} & more)
 same => n,Return()
"""
FLOW = """
start = "lend"
[steps.lend]
do = "dialplan"
context = "loyalty"
extension = "100"
send = ["ani"]
take = ["level", "told"]
next = "level"
failed = "sorry"
[steps.level]
do = "branch"
variable = "level"
cases = { 7 = "told" }
otherwise = "sorry"
[steps.told]
do = "branch"
variable = "told"
cases = { "7012 & more" = "nowhere" }
otherwise = "sorry"
[steps.nowhere]
do = "dialplan"
context = "loyalty"
extension = "none"
next = "sorry"
failed = "bye"
[steps.sorry]
do = "hangup"
prompts = ["reason-3"]
[steps.bye]
do = "hangup"
prompts = ["goodbye"]
"""


async def out_there(centre: Centre) -> Call:
    """A caller in the admin's context, who has heard what it says."""
    caller = await centre.dial("7001", number="7012")
    await caller.wait_up()
    await Hearing(centre, caller).hears("reason-1")
    return caller


async def test_a_caller_goes_from_the_dialplan_into_a_flow_and_from_there_into_the_dialplan_and_back(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path
) -> None:
    async with contact_centre(tmp_path, library, prompts_dir, flows={"own": FLOW}, dialplan=DIALPLAN) as centre:
        caller = await out_there(centre)
        await caller.send_dtmf("7")
        await Hearing(centre, caller).hears("goodbye")
        (contact,) = await centre.finished()
        assert (contact["outcome"], contact["line"]) == ("flow_completed", LINE)

        caller = await out_there(centre)
        await caller.hangup()
        told = {contact["outcome"]: contact["reason"] for contact in await centre.finished(2)}
        where = "the call ended in the dialplan, context loyalty"
        assert told == {"flow_completed": "", "flow_abandoned": where}
        await centre.nothing_left()


async def test_killed_while_its_caller_is_in_the_dialplan_the_daemon_takes_him_back_when_it_is_there_again(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path
) -> None:
    async with contact_centre(tmp_path, library, prompts_dir, flows={"own": FLOW}, dialplan=DIALPLAN) as centre:
        for comes_back_first in (False, True):
            caller = await out_there(centre)
            await centre.kill()
            if comes_back_first:
                await caller.send_dtmf("7")  # nobody is there to take him: the fallback keeps him
            await centre.start()
            if not comes_back_first:
                await centre.contact("flow")
                await caller.send_dtmf("7")
            await Hearing(centre, caller).hears("goodbye")
            (contact,) = await centre.finished()
            assert contact["outcome"] == "flow_completed"
