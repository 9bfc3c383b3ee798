"""What a database says when it does not serve, as a person needs it: the cause in one line, and what mends it.

PostgreSQL gives each of its errors a code (SQLSTATE, appendix A of its manual), which stays the same in every version and
language; the text beside it is the server's own and is passed on. SQLite's texts are clear enough by themselves.
"""

import socket
import sqlite3
from typing import NamedTuple

from sqlalchemy.exc import DBAPIError


class Trouble(NamedTuple):
    """Why the database does not serve."""

    cause: str
    mend: str = ""
    """What a person can do, as an imperative; empty: the cause says all."""


_DISK_FULL = "53100"
_BY_CODE = {
    "08": "see that PostgreSQL runs and look into its log",
    "25006": "name the primary server in [store] url, or make this database writable"
    " (ALTER DATABASE … RESET default_transaction_read_only)",
    "28": "correct user and password in [store] url, or let the user in (pg_hba.conf)",
    "3D000": "make the database (CREATE DATABASE … OWNER …) and run `ccserver migrate`, or correct [store] url",
    "42501": "make the user of [store] url the owner of the database and its tables (REASSIGN OWNED BY … TO …)",
    "42P01": "run `ccserver migrate`",
    "42703": "run `ccserver migrate`",
    _DISK_FULL: "make room on the disk of the database server",
    "53200": "give the database server more memory",
    "53300": "end other sessions, or raise max_connections of the server or the role's CONNECTION LIMIT",
    "57P01": "it is tried again by itself",
    "57P02": "it is tried again by itself",
    "57P03": "wait until the database server has started",
    "58030": "look after the disk of the database server",
}
"""By SQLSTATE, or by its class (the first two characters)."""
_NO_ROOM_FOR_NEWCOMERS = "could not write init file"
"""PostgreSQL to who connects when its disk is full and it has just thrown its cache of the catalog away: as an internal error."""
_REFUSED = "start PostgreSQL, or correct the address in [store] url"
SILENT = Trouble("no answer in time", "see that PostgreSQL answers (psql), and what lies between")


def trouble(error: Exception) -> Trouble:
    """Of an error of SQLAlchemy or of a connection, without their wrapping."""
    inner = error.orig if isinstance(error, DBAPIError) and error.orig else error
    if isinstance(inner, sqlite3.Error):
        return Trouble(str(inner))
    if isinstance(inner, socket.gaierror):
        return Trouble(f"its host is unknown ({inner.strerror})", "correct the host in [store] url")
    if isinstance(inner, ConnectionRefusedError):
        return Trouble("nobody listens there", _REFUSED)
    code = getattr(inner, "sqlstate", None) or ""
    said = (str(inner).rpartition(">: ")[2] or type(inner).__name__).splitlines()[0]
    if said == _NO_ROOM_FOR_NEWCOMERS:
        code = _DISK_FULL
    return Trouble(said, _BY_CODE.get(code) or _BY_CODE.get(code[:2], ""))
