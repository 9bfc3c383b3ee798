"""Where the checks put what they find: problems with the place of what they are about."""

from ccserver.config.errors import ConfigErrors, Problem, Severity
from ccserver.config.source import Document, KeyPath, field_text

OVERRIDE = "override"
"""Stands for the file where a value was given to `load` instead of being written."""


class Findings:
    """Collects everything, so that an admin mends a configuration in one go and not mistake by mistake."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    @property
    def any_error(self) -> bool:
        """Whether the configuration is unusable."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    def error(self, document: Document, path: KeyPath, message: str) -> None:
        """Something that makes the configuration unusable, at a key path of a document."""
        self._add(document, path, message, Severity.ERROR)

    def warn(self, document: Document, path: KeyPath, message: str) -> None:
        """Something that works and is probably not meant."""
        self._add(document, path, message, Severity.WARNING)

    def take(self, errors: ConfigErrors) -> None:
        """What a file that could not be read at all has brought."""
        self.problems += errors.problems

    def _add(self, document: Document, path: KeyPath, message: str, severity: Severity) -> None:
        overridden = document.is_overridden(path)
        problem = Problem(
            file=OVERRIDE if overridden else document.shown,
            line=0 if overridden else document.line_of(path),
            field=field_text(path),
            message=message,
            severity=severity,
        )
        self.problems.append(problem)
