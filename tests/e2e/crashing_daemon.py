"""`ccserver run` that kills itself with -9 right before or right after its journal takes the turn in which something happens.

python crashing_daemon.py LegAnswered before      (the name of an event or a command; the first such turn counts)
"""

import os
import signal
import sys

from ccserver import app
from ccserver.__main__ import main
from ccserver.ports import Turn
from ccserver.store.journal import SqliteJournal

WHAT, WHEN = sys.argv[1:3]


class CrashingJournal(SqliteJournal):
    """The journal, and the end of the process."""

    def commit(self, turn: Turn) -> None:
        """Die on one side of the real commit."""
        fatal = any(type(item).__name__ == WHAT for item in (*turn.events, *turn.commands))
        if fatal and WHEN == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        super().commit(turn)
        if fatal and WHEN == "after":
            os.kill(os.getpid(), signal.SIGKILL)


app.SqliteJournal = CrashingJournal  # type: ignore[misc]
sys.exit(main(["run"]))
