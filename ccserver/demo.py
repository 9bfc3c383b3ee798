"""`ccserver demo`: simulated callers and operators around the contact centre that runs on this machine."""

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ccserver.asterisk import access as written
from ccserver.config.places import state_dir
from ccserver.sim.errors import AlreadyPlayed, NoCentre, NoPhones
from ccserver.sim.world import Load

VOICES = "demo-voices"
LOCK = "demo.lock"


def run(access_file: Path | None, load: Load) -> int:
    """Until Ctrl-C; raises `SimError`."""
    path = (access_file or written.access_path(state_dir())).absolute()
    access = _read(path)
    try:
        from ccserver.sim import demo
        from ccserver.sim.centre import Access, Account
    except ImportError as error:
        raise NoPhones(
            f"the demo's phones need {error.name}, which is not installed: run script/setup --demo"
        ) from None
    known = Access(
        host=access.sip.host,
        port=access.sip.port,
        lines=tuple(access.lines),
        operators=tuple(
            Account(operator.extension, operator.password, operator.encryption == "required")
            for operator in access.operators
        ),
        caller=Account(access.caller.user, access.caller.password),
        url=access.http.url,
        token=access.http.token,
    )
    with _alone(path.parent / LOCK):
        asyncio.run(demo.run(known, load, path.parent / VOICES))
    return 0


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One world around one centre: two would fight over the operators' phones."""
    with lock.open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyPlayed(f"another demo plays around this centre already (it holds {lock})") from None
        held.truncate(0)
        held.write(str(os.getpid()))
        held.flush()
        yield


def _read(path: Path) -> written.Access:
    try:
        return msgspec.json.decode(path.read_bytes(), type=written.Access)
    except OSError as error:
        raise NoCentre(
            f"{path}: {error.strerror}: is a contact centre running here? script/server starts one"
        ) from None
    except msgspec.DecodeError as error:
        raise NoCentre(f"{path}: {error}") from None
