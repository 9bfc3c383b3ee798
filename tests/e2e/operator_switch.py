"""SIPp as a telephone operator: his switch, which brings calls, and his registrar. The scenarios are in tests/e2e/sipp."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

SCENARIOS = Path(__file__).parent / "sipp"


class Sipp:
    """One running SIPp."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    def said(self, word: str) -> list[str]:
        """The lines of its log that begin with the word."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return [line for line in lines if line.startswith(word)]

    async def ended(self) -> None:
        """Wait until all its calls are over."""
        async with asyncio.timeout(30):
            await self._process.wait()


@asynccontextmanager
async def sipp(scenario: str, directory: Path, *arguments: str, **values: str) -> AsyncIterator[Sipp]:
    """Run a scenario, with `values` for its `@…@`, until the block is left."""
    program = shutil.which("sipp")
    assert program is not None, "sipp is missing: script/setup --tests installs it"
    text = (SCENARIOS / f"{scenario}.xml").read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name.upper()}@", value)
    file, log = directory / f"{scenario}.xml", directory / f"{scenario}.log"
    file.write_text(text, encoding="utf-8")
    command = (program, "-sf", str(file), "-nostdin", "-trace_logs", "-log_file", str(log), *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, cwd=directory
    )
    try:
        yield Sipp(process, log)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
