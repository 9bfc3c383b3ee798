"""Calls as customers and operators live them, with audio, and what the CDR and the recording say of each."""

from pathlib import Path

from tests.e2e.centre import CALLER_HZ, OPERATOR_HZ, Centre
from tests.phones.tones import carries, read_wav


async def test_a_caller_who_presses_1_talks_with_an_operator_and_all_of_it_is_kept(centre: Centre, tmp_path: Path) -> None:
    operator = await centre.operator("1001")
    call = await centre.waiting("1")
    ringing = await operator.wait_call()
    await ringing.wait_up()
    await call.hears(OPERATOR_HZ["1001"])
    await ringing.hears(CALLER_HZ)
    await centre.contact("talking", agent="1001", queue="orders")
    await ringing.hears_for(2)
    await call.hangup()
    await ringing.wait_gone()

    (contact,) = await centre.finished(recorded=True)
    assert contact["outcome"] == "answered"
    assert (contact["line"], contact["queue"], contact["agent"]) == ("88007707999", "orders", "1001")
    kinds = [(segment["kind"], segment["outcome"]) for segment in contact["segments"]]
    assert kinds == [("flow", "queued"), ("queue", "answered"), ("talk", "caller_left")]
    assert contact["talk_s"] >= 2
    caller_side, operator_side = read_wav(await centre.recording(contact, tmp_path / "talk.wav"))
    assert carries(caller_side, CALLER_HZ) and not carries(caller_side, OPERATOR_HZ["1001"])
    assert carries(operator_side, OPERATOR_HZ["1001"]) and not carries(operator_side, CALLER_HZ)
    assert abs(caller_side.duration_s - contact["talk_s"]) < 0.3
    await centre.agent("1001", "ready")
