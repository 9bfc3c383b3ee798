"""`ccserver check`: everything that is wrong, or probably not meant, in a configuration, without starting anything."""

from collections.abc import Mapping
from pathlib import Path

from ccserver.config.errors import Problem, in_order
from ccserver.config.findings import Findings
from ccserver.config.load import NO_OVERRIDES, read_all


def check(
    path: Path | None = None, *, state_dir: Path | None = None, overrides: Mapping[str, object] = NO_OVERRIDES
) -> tuple[Problem, ...]:
    """Errors and warnings sorted by file and line; empty: the configuration is as it should be. Arguments as of `load`."""
    found = Findings()
    read_all(path, state_dir=state_dir, overrides=overrides, found=found)
    return in_order(found.problems)
