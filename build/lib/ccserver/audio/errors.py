"""What can go wrong with sound, as a small tree. `str()` of each is one line for a person; none needs a traceback.

AudioError
├── PromptsInvalid        prompts.toml is wrong: file, line, prompt, field, what was expected
├── PromptMissing         somebody asked for a prompt or a language that prompts.toml does not have
├── PromptFailed          one prompt cannot be made: the voice failed, or its recording is no sound
├── ToolMissing           a program that we need is not installed
├── DiskFull              no room; nothing that was there before has been lost
└── RecordingError
    ├── RecordingMissing  the file is not there: Asterisk never opened it, or it has been taken away
    ├── RecordingOpen     Asterisk still has it open when patience ended; ask again later
    └── RecordingBroken   it is there and is no usable sound; kept as it is, for inspection
"""

from __future__ import annotations

from pathlib import Path


class AudioError(Exception):
    """Root of the tree."""


class PromptsInvalid(AudioError):
    """prompts.toml does not say what it should; `line` is 0 where no line can be named."""

    def __init__(self, path: Path, line: int, where: str, expected: str) -> None:
        super().__init__(f"{path}:{line}: {where}: {expected}" if line else f"{path}: {where}: {expected}")
        self.path = path
        self.line = line


class PromptMissing(AudioError):
    """Asked for a prompt or a language that nobody wrote."""


class PromptFailed(AudioError):
    """One prompt in one language cannot be made."""


class ToolMissing(AudioError):
    """A program is not installed."""

    def __init__(self, program: str, needed_for: str) -> None:
        super().__init__(f"{program} is not installed; it is needed for {needed_for}")
        self.program = program


class DiskFull(AudioError):
    """There was no room for a file; the files it is made of are untouched."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: no space left on device")
        self.path = path


class RecordingError(AudioError):
    """Something is wrong with one recording; `path` names the file."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path


class RecordingMissing(RecordingError):
    """The file is not there."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "no such recording")


class RecordingOpen(RecordingError):
    """Somebody still writes it."""


class RecordingBroken(RecordingError):
    """It is no usable sound."""
