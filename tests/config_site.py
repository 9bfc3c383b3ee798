"""A configuration of a test's own: the demo's files in a temporary directory, changed as the test wants them."""

import re
import shutil
from pathlib import Path

import pytest

from ccserver.config.check import check
from ccserver.config.errors import ConfigErrors
from ccserver.config.load import Config, load

CHECKOUT = Path(__file__).resolve().parent.parent

HOURS = """
[steps.now]
do = "branch"
calendar = "shop"
cases = { open = "greeting" }
otherwise = "closed"

[steps.closed]
do = "hangup"
prompts = ["line-closed"]
"""

SURVEY = """
start = "rate"

[steps.rate]
do = "rate"
prompts = ["survey-rate"]
next = "thanks"
otherwise = "thanks"

[steps.thanks]
do = "hangup"
prompts = ["survey-thanks"]
"""


class Site:
    """The demo under `root`, laid out as in a checkout; every change must really change something."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.dialplans = root / "dialplans"
        self.dialplans.mkdir()
        (root / "ivr-prompts").mkdir()
        for file in [*(CHECKOUT / "dialplans").glob("*.toml"), *(CHECKOUT / "dialplans").glob("*.conf")]:
            shutil.copy(file, self.dialplans / file.name)
        shutil.copy(CHECKOUT / "ivr-prompts" / "prompts.toml", root / "ivr-prompts")

    def file(self, name: str) -> Path:
        """`ccserver.toml`, a flow, or `prompts.toml`."""
        return self.root / "ivr-prompts" / name if name == "prompts.toml" else self.dialplans / name

    def change(self, name: str, old: str, new: str) -> int:
        """Replace the first `old`; returns the line on which it began."""
        text = self.file(name).read_text()
        assert old in text, f"{name} has no {old!r}"
        self.file(name).write_text(text.replace(old, new, 1))
        return text.count("\n", 0, text.index(old)) + 1

    def append(self, name: str, text: str) -> int:
        """Add to the end of a file; returns the line on which the text begins."""
        before = self.file(name).read_text() if self.file(name).exists() else ""
        self.file(name).write_text(before + text)
        return before.count("\n") + 1

    def with_calendar(self) -> None:
        """The calendar that stands in the demo as an example is one."""
        text = self.file("ccserver.toml").read_text()
        begin = text.index("# [[calendars]]")
        end = text.index("\n\n", begin)
        written = re.sub(r"(?m)^# ", "", text[begin:end])
        written = re.sub(r"(?m)^days = .*$", "days = {}", written)
        self.file("ccserver.toml").write_text(text[:begin] + written + text[end:])

    def with_hours(self) -> None:
        """And both lines go by it: who comes at another time hears so."""
        self.with_calendar()
        for flow in ("nordlis.toml", "velmira.toml"):
            self.change(flow, 'start = "greeting"', 'start = "now"')
            self.append(flow, HOURS)

    def survey(self, of: str) -> None:
        """A flow that asks for a mark after each talk, named by the first of the `lines` or `queues`."""
        self.append("satisfaction.toml", SURVEY)
        self.change("ccserver.toml", f"[[{of}]]\n", f'[[{of}]]\nsurvey = "satisfaction"\n')

    def load(self, **overrides: object) -> Config:
        """Load it; overrides by field with __ for the dot."""
        fields = {field.replace("__", "."): value for field, value in overrides.items()}
        return load(self.dialplans, state_dir=self.root / "var", overrides=fields)

    def complaints(self) -> list[str]:
        """All errors as lines, files without their directory; the configuration must be refused."""
        with pytest.raises(ConfigErrors) as caught:
            self.load()
        return [self.short(line) for line in str(caught.value).splitlines()]

    def warnings(self) -> list[str]:
        """All warnings as lines; there must be no error."""
        lines = [self.short(str(problem)) for problem in check(self.dialplans, state_dir=self.root / "var")]
        assert all(": warning: " in line for line in lines), lines
        return lines

    def short(self, line: str) -> str:
        """Without the temporary directory."""
        return re.sub(rf"{re.escape(str(self.root))}/(dialplans/|ivr-prompts/)?", "", line)
