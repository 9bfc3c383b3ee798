"""For all tests."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def log_as_it_is_made() -> Iterator[None]:
    """A command line that a test runs in this process sets the log up for good: the next test must not inherit that."""
    yield
    structlog.reset_defaults()
