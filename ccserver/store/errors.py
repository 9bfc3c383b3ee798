"""What can go wrong with what we remember, as a small tree; `str()` of each is one line for the person who must mend it.

    StoreError
    ├── JournalLocked         another process writes this journal; the line names it
    ├── JournalUnreadable     the file is not a journal, is damaged, or may not be opened
    ├── JournalStuck          it cannot be written now; what was committed meanwhile waits in memory
    │   ├── DiskFull          ... because the disk is full
    │   └── BacklogFull       ... and the memory set aside for it is used up: the only one that `commit` raises
    ├── StoreTooNew           journal or store was written by a newer ccserver
    ├── StoreTooOld           the store lacks migrations (or all of its tables)
    ├── StoreUnavailable      the database does not serve now: try again later
    ├── StaleWriter           another daemon has claimed this node's place in the store: stop
    ├── NoSuchContact         the store does not know this contact
    ├── StoreUrlWrong         the configured URL names no database that we know
    └── MigrationsMissing     the directory `sql/` is not where it should be

Any other exception that leaves this package is a bug.
"""

from pathlib import Path


class StoreError(Exception):
    """Something we remember, or should, is out of reach."""

    mend = ""
    """What a person can do, as an imperative; empty: the line says all."""


class JournalLocked(StoreError):
    """Another process holds the journal's lock."""

    def __init__(self, journal: Path, pid: int | None) -> None:
        holder = f"process {pid}" if pid else "another process"
        super().__init__(
            f"{journal} is in use by {holder}: stop it, or take over from it with `ccserver run --takeover`"
        )
        self.pid = pid


class JournalUnreadable(StoreError):
    """The file is not a journal, is damaged, or may not be opened."""

    def __init__(self, journal: Path, cause: str) -> None:
        super().__init__(f"{journal}: the journal cannot be read: {cause}")


class JournalStuck(StoreError):
    """The journal cannot be written now."""

    def __init__(self, journal: Path, cause: str, backlog: int) -> None:
        kept = f"; {backlog} turns wait in memory" if backlog else ""
        super().__init__(f"{journal}: the journal cannot be written: {cause}{kept}")


class DiskFull(JournalStuck):
    """There is no room for the journal."""


class BacklogFull(JournalStuck):
    """The journal has been stuck for so long that turns would have to be forgotten."""


class StoreTooNew(StoreError):
    """A newer ccserver has written here."""

    mend = "install the newer ccserver again"

    def __init__(self, place: str, found: object, known: object) -> None:
        super().__init__(f"{place} has schema {found}, this ccserver knows {known}: {self.mend}")


class StoreTooOld(StoreError):
    """Migrations are missing."""

    mend = "ccserver migrate"

    def __init__(self, place: str, found: object, known: object) -> None:
        state = f"has schema {found}" if found else "has no tables yet"
        super().__init__(f"{place} {state}, this ccserver needs {known}: run `{self.mend}`")


class StoreUnavailable(StoreError):
    """The database does not serve now."""

    def __init__(self, place: str, cause: str, mend: str = "") -> None:
        super().__init__(f"{place} does not serve: {cause}" + (f"; {mend}" if mend else ""))
        self.mend = mend


class StaleWriter(StoreError):
    """Another daemon writes for this node now."""

    def __init__(self, place: str, node: str, ours: int, theirs: int) -> None:
        super().__init__(f"{place}: another daemon writes for node {node} now (epoch {theirs}, ours was {ours})")


class NoSuchContact(StoreError):
    """The store does not know this contact."""

    def __init__(self, contact: str) -> None:
        super().__init__(f"no contact {contact}")


class StoreUrlWrong(StoreError):
    """The configured URL names no database that we know."""

    def __init__(self, url: str) -> None:
        begins = url.partition(":")[0]  # the rest may hold a password
        super().__init__(f"store url {begins}:…: expected sqlite:////path/to/file or postgresql://user@host/database")


class MigrationsMissing(StoreError):
    """The directory `sql/` is not where it should be."""

    def __init__(self, directory: Path) -> None:
        super().__init__(f"no migrations in {directory}: set CCSERVER_HOME to the checkout of ccserver")
