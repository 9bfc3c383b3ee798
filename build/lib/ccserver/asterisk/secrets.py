"""Passwords and tokens: made once, kept in `secrets.toml` of the state directory, readable by its owner alone.

Written by whoever sets Asterisk up; read by the daemon (ARI, AMI, operators' digest passwords) and the API (token).
"""

import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ccserver.asterisk.errors import SecretsError
from ccserver.asterisk.files import make_dir, write_if_changed

FILE_NAME = "secrets.toml"
GENERATED = ("ari_password", "ami_password", "api_token", "caller_password")


class Secrets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that must not be guessed. `operators` maps extension to SIP password."""

    ari_password: str = ""
    ami_password: str = ""
    api_token: str = ""
    caller_password: str = ""
    operators: Mapping[str, str] = {}

    def __repr__(self) -> str:
        """Without a single secret: this object ends up in logs and tracebacks."""
        return f"Secrets(operators={sorted(self.operators)})"


def secrets_path(state_dir: Path) -> Path:
    return state_dir / FILE_NAME


def load_secrets(state_dir: Path) -> Secrets:
    """What is there, changing nothing; `SecretsError` if nothing was generated yet or the file is not ours."""
    path = secrets_path(state_dir)
    known = _read(path)
    if missing := [name for name in GENERATED if not getattr(known, name)]:
        raise SecretsError(f"{path}: {', '.join(missing)} missing, made anew by: ccserver asterisk render")
    return known


def _read(path: Path) -> Secrets:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Secrets)
    except FileNotFoundError:
        raise SecretsError(f"{path}: no secrets yet, they are made by: ccserver asterisk render") from None
    except PermissionError:
        raise SecretsError(f"{path}: may not be read by this user") from None
    except OSError as error:
        raise SecretsError(f"{path}: {error.strerror}") from None
    except ValueError as error:  # not TOML, not UTF-8, or not our fields
        raise SecretsError(f"{path}: {error}") from None


def ensure_secrets(state_dir: Path, operators: Iterable[str]) -> Secrets:
    """Load them, making what is missing: the whole file at first, later only the passwords of new operators.

    An operator who left keeps his password in the file, so that he gets the same one when he returns.
    """
    make_dir(state_dir, state_dir)
    with _locked(state_dir):
        known = _read(secrets_path(state_dir)) if secrets_path(state_dir).exists() else Secrets()
        fresh = {name: _password() for name in GENERATED if not getattr(known, name)}
        passwords = {**{extension: _password() for extension in operators}, **known.operators}
        complete = msgspec.structs.replace(known, **fresh, operators=dict(sorted(passwords.items())))
        write_if_changed(state_dir, secrets_path(state_dir), _toml(complete).encode())
        return complete


def _password() -> str:
    # Letters and digits only: it travels through asterisk.conf syntax, SIP digests and people's keyboards.
    return secrets.token_hex(12)


def _toml(known: Secrets) -> str:
    lines = [
        "# Generated once. Delete a line to get a new value at the next start; delete an operator's to lock him out."
    ]
    lines += [f'{name} = "{getattr(known, name)}"' for name in GENERATED]
    lines += ["", "[operators]"]
    lines += [f'"{extension}" = "{password}"' for extension, password in known.operators.items()]
    return "\n".join(lines) + "\n"


@contextmanager
def _locked(state_dir: Path) -> Iterator[None]:
    """Two starts at once must not generate two sets: the lock is on the directory itself, so no file is left."""
    handle = os.open(state_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
