"""What can go wrong with a backup; `str()` of each is one line for the person who must mend it.

BackupError
├── BackupFailed        it cannot be written; what was there before is untouched
├── BackupUnreadable    the file is none of ours, is cut off or damaged
├── BackupTooNew        a newer ccserver made it
├── PlaceTaken          what would be restored is there already
├── RestoreFailed       it cannot be put in its place; everything is as it was
└── RestoreUnfinished   a restore was killed in its last moment
"""

from pathlib import Path


class BackupError(Exception):
    """A backup cannot be made or restored."""


class BackupFailed(BackupError):
    """It cannot be written."""

    def __init__(self, place: Path, cause: str) -> None:
        super().__init__(f"{place}: the backup cannot be written: {cause}")


class BackupUnreadable(BackupError):
    """The file is none of ours, is cut off or damaged."""

    def __init__(self, file: Path, cause: str) -> None:
        super().__init__(f"{file}: {cause}; nothing was restored")


class BackupTooNew(BackupError):
    """A newer ccserver made it."""

    def __init__(self, file: Path, what: str, found: object, known: object) -> None:
        super().__init__(f"{file}: {what} {found}, this ccserver knows {known}: install the newer ccserver first")


class PlaceTaken(BackupError):
    """What would be restored is there already."""

    def __init__(self, places: list[str]) -> None:
        super().__init__(
            f"already there: {', '.join(places)}; nothing was restored (--replace puts the backup in their place)"
        )


class RestoreFailed(BackupError):
    """It cannot be put in its place."""

    def __init__(self, cause: object) -> None:
        super().__init__(f"{cause}; everything is as it was")

    @classmethod
    def at(cls, place: Path, error: OSError) -> "RestoreFailed":
        """A file that cannot be written or moved."""
        return cls(f"{error.filename or place}: {error.strerror or error}")


class RestoreUnfinished(BackupError):
    """A restore was killed in its last moment."""

    def __init__(self, marker: Path) -> None:
        super().__init__(f"{marker}: a restore was cut off, some parts are the old ones: run it again, with --replace")
