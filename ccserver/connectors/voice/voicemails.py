"""Messages that callers left: moved from Asterisk's spool into the archive."""

import shutil
import time
from pathlib import Path

import structlog

from ccserver.core.ids import RecordingName

log = structlog.get_logger("ccserver.voice")


class Voicemails:
    """Keeping a message is a rename where both directories lie on one file system, and they mostly do."""

    def __init__(self, spool_dir: Path, recordings_dir: Path) -> None:
        self._spool_dir = spool_dir
        self._recordings_dir = recordings_dir

    def keep(self, name: RecordingName, at: float) -> str:
        """The message's path below the recordings directory; empty when there is no file."""
        path = Path("voicemail") / time.strftime("%Y/%m/%d", time.gmtime(at)) / f"{name}.wav"
        target = self._recordings_dir / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(self._spool_dir / "recording" / f"{name}.wav", target)
        except OSError as error:
            log.error("voicemail not kept", recording=name, reason=str(error))
            return ""
        return str(path)
