"""Conversations recorded by MixMonitor, started over AMI: ARI cannot start it, and it survives every change of bridges.

The caller's and the operator's voice go to two files that are equal to the sample; nothing is mixed. MixMonitor ends with
the caller's channel. Losing AMI costs recordings, never calls: every failure is an alarm and the call goes on.
"""

import time
from pathlib import Path

from ccserver.connectors.voice.ami import Ami
from ccserver.core.ids import RecordingName

BYTES_PER_S = 16_000
"""Of a leg's file: 8 kHz, 16 bit, mono."""


NO_CHANNEL = "No such channel"
"""AMI's answer about a channel that has hung up."""


class MonitorError(Exception):
    """The recording could not be started or silenced; the text is for the alarm."""


class Monitor:
    """MixMonitor of one Asterisk."""

    def __init__(self, ami: Ami, raw_dir: Path) -> None:
        self._ami = ami
        self._raw_dir = raw_dir
        self._failure = ""

    @property
    def alarm(self) -> str:
        """What is wrong with recording, for people; empty when nothing is."""
        if self._ami.lost:
            return "AMI does not answer or refuses the password: talks are not recorded"
        return self._failure

    async def start(self, channel_name: str, recording: RecordingName, *, by_operator: bool = False) -> float:
        """Record the channel into `<recording>-in.wav` (the customer's voice) and `-out.wav` (what he hears).

        `by_operator`: the channel is the operator's, so what it hears is the customer.

        Returns when it began, UTC epoch seconds. Where the file is there already an earlier offer began it, perhaps
        before a restart of ours: MixMonitor runs as long as the channel, and a second one would cut off the first.
        """
        customer = self._raw_dir / f"{recording}-in.wav"
        operator = self._raw_dir / f"{recording}-out.wav"
        try:
            seen = customer.stat()
            return seen.st_mtime - seen.st_size / BYTES_PER_S
        except FileNotFoundError:
            pass
        said, heard = (operator, customer) if by_operator else (customer, operator)
        action = {"Action": "MixMonitor", "Channel": channel_name, "File": "", "Options": f"r({said})t({heard})"}
        response = await self._ami.send(action)
        if response is None or not response.success:
            self._failure = f"MixMonitor: {'no answer over AMI' if response is None else response.message}"
            raise MonitorError(self._failure)
        self._failure = ""
        return time.time()

    async def silence(self, channel_name: str, *, silent: bool) -> None:
        """Silence in both files, as long as it lasts, or sound again; the same twice does no harm.

        A channel that is gone needs neither: its recording has ended.
        """
        action = {"Action": "MixMonitorMute", "Channel": channel_name, "Direction": "both", "State": str(int(silent))}
        response = await self._ami.send(action)
        if response is None or not (response.success or NO_CHANNEL in str(response.message)):
            # The archive silences it all the same; until then the raw files hold what was said.
            self._failure = f"MixMonitorMute: {'no answer over AMI' if response is None else response.message}"
            raise MonitorError(self._failure)
