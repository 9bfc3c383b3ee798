"""An Asterisk that hangs while its sockets stay open: the status, the log and the metrics name it within seconds."""

import os
import signal
import time
from typing import Any

from tests.e2e.centre import Centre
from tests.e2e.test_reload import ccserver

NAMED_WITHIN_S = 20.0
"""Some six seconds, on a machine with nothing else to do."""


def told(status: dict[str, Any]) -> str:
    return next((str(alarm["message"]) for alarm in status["alarms"] if alarm["name"] == "asterisk"), "")


async def test_an_asterisk_that_was_stopped_is_named_within_seconds_and_forgotten_when_it_goes_on(
    centre: Centre,
) -> None:
    assert not told(await centre.get("/api/status"))
    metrics = await centre.metrics()
    assert [metrics["ccserver_asterisk_alive", probe] for probe in ("ari", "ami", "sip")] == [1.0, 1.0, 1.0]
    os.kill(centre.asterisk.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        said = await centre.until(lambda status: "dead or hangs" in told(status) and told(status), NAMED_WITHIN_S)
        assert "nothing of it answers" in str(said), f"{said} after {time.monotonic() - began:.1f} s"
        metrics = await centre.metrics()
        assert [metrics["ccserver_asterisk_alive", probe] for probe in ("ari", "ami", "sip")] == [0.0, 0.0, 0.0]
        code, looked, _ = await ccserver(centre, "doctor")
        assert code == 1
        wrong = [line.split()[1] for line in looked if line.startswith("!!")]
        assert {"ari", "ami", "sip"} <= set(wrong), looked
    finally:
        os.kill(centre.asterisk.pid, signal.SIGCONT)
    await centre.until(lambda status: not told(status) and status["asterisk"]["connected"], NAMED_WITHIN_S)
    assert "asterisk does not answer" in centre.log() and "asterisk answers again" in centre.log()
