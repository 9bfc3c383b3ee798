"""What a backup says of itself: the head is its first member, the manifest its last, so a file that has both is whole."""

from collections.abc import Mapping

from msgspec import Struct

FORMAT = 1
"""Raised whenever an older ccserver could no longer read what this one writes."""
HEAD, MANIFEST = "ccserver-backup.json", "manifest.json"
PARTS = ("configuration", "secrets", "store", "journal", "recordings")
MAIN_FILE = "configuration/dialplans/ccserver.toml"
JOURNAL_FILE = "journal/journal.sqlite"


class Head(Struct, frozen=True, kw_only=True):
    """By which a backup is known, and what it was made of."""

    format: int
    ccserver: str
    """The version that made it."""
    node: str
    made_at: float
    """UTC epoch seconds."""
    parts: tuple[str, ...]
    schema: int
    """Of the store's rows."""
    columns: Mapping[str, tuple[str, ...]]
    """Of the store's tables, in the order of a row's values."""


class Member(Struct, frozen=True, kw_only=True):
    """One file in it."""

    bytes: int
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True):
    """Everything in it but the sound, whose checksums are in the list of recordings."""

    members: Mapping[str, Member]
    rows: Mapping[str, int]
    """By table."""
    journal_seq: int
    """The newest turn."""
    recordings: int
    recordings_bytes: int
    sound: bool
    """The recordings themselves are in it, too."""


class Listed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One recording."""

    path: str
    """Relative to the recordings directory."""
    bytes: int
    sha256: str = ""
    """Empty: its sound is not in the backup."""
