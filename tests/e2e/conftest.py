"""Fixtures of the e2e tests: phones and prompts are made once, everything else anew for each test."""

import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ccserver.audio import prompts, synthesis
from tests.e2e.centre import Centre, contact_centre
from tests.e2e.centre_config import CHECKOUT
from tests.phones import PhoneLibrary


@pytest.fixture(scope="session")
def library() -> Iterator[PhoneLibrary]:
    """pjproject, once in a process."""
    with PhoneLibrary() as phones:
        yield phones


@pytest.fixture(scope="session")
def prompts_dir() -> Path:
    """The demo's prompts, built once and kept between runs: a build that finds nothing changed takes no time."""
    cache = Path(os.environ.get("CCSERVER_CACHE", "/var/cache/ccserver"))
    cache.mkdir(parents=True, exist_ok=True)
    directory = cache / "test-prompts"
    book = prompts.load(CHECKOUT / "ivr-prompts" / "prompts.toml")
    with (cache / "test-prompts.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        synthesis.build(book, CHECKOUT / "ivr-prompts", directory)
    return directory


@pytest.fixture
async def centre(tmp_path: Path, library: PhoneLibrary, prompts_dir: Path) -> AsyncIterator[Centre]:
    """A contact centre that serves."""
    async with contact_centre(tmp_path, library, prompts_dir) as running:
        yield running
