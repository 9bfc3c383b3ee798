"""`ccserver demo`: simulated callers and operators around the contact centre that runs on this machine."""

import argparse
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
CALLS_PER_MINUTE_MAX = 600.0
STORY = """
Play the world around the contact centre that runs on this machine, so that there is something to see: customers call
in, press keys, wait or give up; operators log in, talk, take breaks, and miss a call now and then. Real SIP phones,
real sound. The first two operators are left to you. Ctrl-C ends it: calls are hung up, operators logged out.

  ccserver demo
  ccserver demo --operators 3 --calls-per-minute 2

Needs what `script/setup --demo` installs; `script/server --demo` does all of it.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """How many people, how often they call."""
    parser.add_argument(
        "--operators", type=_count, default=Load.operators, metavar="N", help="how many (default %(default)s)"
    )
    parser.add_argument(
        "--calls-per-minute",
        type=_rate,
        metavar="X",
        help="on average (default: what so many operators can just serve)",
    )
    parser.add_argument("--seed", type=int, default=Load.seed, metavar="N", help="another number, other people")
    parser.add_argument("--access", type=Path, metavar="FILE", help="instead of access.json in the state directory")


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"expected a number from 1, not {text!r}")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0.0 < rate <= CALLS_PER_MINUTE_MAX:
        raise argparse.ArgumentTypeError(f"expected a number above 0, at most {CALLS_PER_MINUTE_MAX:g}, not {text!r}")
    return rate


def run(args: argparse.Namespace) -> int:
    """Until Ctrl-C; raises `SimError`."""
    load = Load(args.operators, args.calls_per_minute, args.seed)
    path = (args.access or written.access_path(state_dir())).absolute()
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
