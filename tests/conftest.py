"""For all tests."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from ccserver.audio import prompts, synthesis
from ccserver.config.places import CHECKOUT

ORDER = ("e2e", "property", "contract", "web", "unit", "golden")
"""Calls wait, the others work: those that wait longest begin first, and what is short fills up the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """By folder; within one as they were found."""
    items.sort(key=lambda item: ORDER.index(item.path.relative_to(item.config.rootpath / "tests").parts[0]))


@pytest.fixture(scope="session")
def prompts_dir() -> Path:
    """The demo's prompts, built once and kept between runs, until they or what builds them changes."""
    cache = Path(os.environ.get("CCSERVER_CACHE", "/var/cache/ccserver"))
    cache.mkdir(parents=True, exist_ok=True)
    sources = b"".join(path.read_bytes() for path in sorted((CHECKOUT / "ccserver" / "audio").glob("*.py")))
    directory = cache / "test-prompts" / hashlib.sha256(sources).hexdigest()[:16]
    book = prompts.load(CHECKOUT / "ivr-prompts" / "prompts.toml")
    with (cache / "test-prompts.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        synthesis.build(book, CHECKOUT / "ivr-prompts", directory)
    return directory


@pytest.fixture(autouse=True)
def log_as_it_is_made() -> Iterator[None]:
    """A command line that a test runs in this process sets the log up for good: the next test must not inherit that."""
    yield
    structlog.reset_defaults()
