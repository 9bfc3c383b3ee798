"""Messages and comments that callers left: moved from Asterisk's spool into the archive, unless nobody spoke.

Asterisk tells a message's length in whole seconds and calls silence talk, so the file itself is looked at.
"""

import array
import shutil
import time
import wave
from pathlib import Path

import structlog

from ccserver.core.ids import RecordingName, parts_of_message

SPOKEN_PEAK = 400
"""Of 32767: a silent line stays far below it, a whisper gets above 1000."""
EVERY = 4
"""So many samples are skipped between two looks: speech lasts longer, and two minutes take some milliseconds."""

log = structlog.get_logger("ccserver.voice")


class Voicemails:
    """Keeping a message is a rename where both directories lie on one file system, and they mostly do."""

    def __init__(self, spool_dir: Path, recordings_dir: Path) -> None:
        self._spool_dir = spool_dir
        self._recordings_dir = recordings_dir

    def keep(self, name: RecordingName, at: float) -> tuple[str, float]:
        """The message's path below the recordings directory and its seconds; ("", 0.0) when there is none."""
        path = Path(parts_of_message(name)[1]) / time.strftime("%Y/%m/%d", time.gmtime(at)) / f"{name}.wav"
        spooled, target = self._spool_dir / "recording" / f"{name}.wav", self._recordings_dir / path
        try:
            duration_s = _spoken_s(spooled)
            if duration_s == 0:
                spooled.unlink()
                return "", 0.0
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(spooled, target)
        except (OSError, EOFError, wave.Error) as error:
            log.error("voicemail not kept", recording=name, reason=str(error))
            return "", 0.0
        return str(path), duration_s


def _spoken_s(message: Path) -> float:
    """Length of the message in seconds, 0 when there is nothing to be heard in it."""
    with wave.open(str(message)) as sound:
        samples = array.array("h", sound.readframes(sound.getnframes()))[::EVERY]
        duration_s = sound.getnframes() / sound.getframerate()
    return duration_s if samples and max(max(samples), -min(samples)) >= SPOKEN_PEAK else 0.0
