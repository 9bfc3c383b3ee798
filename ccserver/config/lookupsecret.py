"""What a lookup shows the computer that it asks, so that it is answered: read anew each time, for such secrets are replaced."""

import os
from pathlib import Path

from ccserver.core.lookup import Lookup

SECRET_MAX = 4000


def secret_in(file: Path) -> str:
    """What stands in the header: one line, and nothing else; raises OSError, or ValueError in words for people."""
    with file.open(encoding="utf-8") as opened:
        text = opened.read(SECRET_MAX + 2)
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret or len(secret) > SECRET_MAX or not (secret.isascii() and secret.isprintable()):
        raise ValueError("the file must hold the secret and nothing else, on one line")
    return secret


def secret_of(lookup: Lookup, directory: Path) -> str:
    """The secret as it is now, or nothing where none is configured; raises as `secret_in`."""
    if lookup.secret_file:
        return secret_in(directory / lookup.secret_file)
    if lookup.secret_variable:
        secret = os.environ.get(lookup.secret_variable, "")
        if not secret:
            raise ValueError(f"{lookup.secret_variable} is not set")
        return secret
    return ""
