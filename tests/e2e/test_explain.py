"""Why: asked of a running centre on the command line, about a caller who waited and about an operator who got nothing."""

from datetime import datetime

from tests.e2e.centre import Centre
from tests.e2e.test_reload import ccserver


async def test_a_supervisor_is_told_why_a_caller_waited_and_why_an_operator_got_nothing(site: Centre) -> None:
    began = datetime.now().isoformat()
    caller = await site.waiting()
    await site.contact("waiting")
    silent = await site.operator("1002", answer="ring")
    await (await silent.wait_call(20)).wait_gone(40)
    await site.agent("1002", "not_ready", reason="rona")
    phone = await site.operator("1001")
    await (await phone.wait_call(20)).wait_up()
    await caller.hangup()
    (contact,) = await site.finished()

    code, told, complaints = await ccserver(site, "explain", contact["id"])
    assert (code, complaints) == (0, [])
    assert told[0].startswith("waited ") and "logged in" in told[0] and "1 × offered in vain (rona)" in told[0]
    pieces = [
        "arrived on line",
        "waits in queue orders",
        "offered to 1002: longest idle of 1 able to take it",
        "1002 did not pick up after ",
        "offered to 1001: longest idle of 1 able to take it",
        "1001 answered",
        "ended: answered",
    ]
    found = [next((n for n, line in enumerate(told) if piece in line), None) for piece in pieces]
    assert None not in found and found == sorted(n for n in found if n is not None), told

    code, told, complaints = await ccserver(site, "explain", "--agent", "1002", "--since", began)
    assert (code, complaints) == (0, [])
    assert told[0].startswith("1002 got no contact: ") and "1 offered to him in vain" in told[0]
    assert any("went to 1001" in line and "he was not ready (rona)" in line for line in told), told

    assert await ccserver(site, "explain", "nobody") == (1, [], ["ccserver: there is no contact nobody"])
    assert (await ccserver(site, "explain"))[0] == 1
