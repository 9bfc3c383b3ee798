"""For all tests."""

from collections.abc import Iterator

import pytest
import structlog

ORDER = ("e2e", "property", "contract", "web", "unit", "golden")
"""Calls wait, the others work: those that wait longest begin first, and what is short fills up the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """By folder; within one as they were found."""
    items.sort(key=lambda item: ORDER.index(item.path.relative_to(item.config.rootpath / "tests").parts[0]))


@pytest.fixture(autouse=True)
def log_as_it_is_made() -> Iterator[None]:
    """A command line that a test runs in this process sets the log up for good: the next test must not inherit that."""
    yield
    structlog.reset_defaults()
