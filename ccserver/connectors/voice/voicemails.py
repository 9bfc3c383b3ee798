"""Messages that callers left: moved from Asterisk's spool into the archive."""

import time
from pathlib import Path

import structlog

from ccserver.core.ids import RecordingName

log = structlog.get_logger("ccserver.voice")


class Voicemails:
    """Both directories lie on one file system, so that keeping a message is a rename."""

    def __init__(self, spool_dir: Path, recordings_dir: Path) -> None:
        self._spool_dir = spool_dir
        self._recordings_dir = recordings_dir

    def keep(self, name: RecordingName, at: float) -> str:
        """The message's path below the recordings directory; empty when there is no file."""
        path = Path("voicemail") / time.strftime("%Y/%m/%d", time.gmtime(at)) / f"{name}.wav"
        target = self._recordings_dir / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            (self._spool_dir / "recording" / f"{name}.wav").replace(target)
        except OSError as error:
            log.error("voicemail not kept", recording=name, reason=str(error))
            return ""
        return str(path)
