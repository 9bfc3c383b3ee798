"""The benches still run: each in its short mode, side by side, against the real Asterisk. What they measured is not looked at."""

import asyncio
import sys

from asterisk_instance import asterisk_root

from ccserver.config.places import CHECKOUT

BENCHES = {
    "router": "Counted operations a step",
    "latency": "The measurement itself",
    "capacity": "most calls/s with no failure",
    "media": "Packets that the phones did not read in time",
}
"""By what each ends with."""


async def run(name: str) -> tuple[int, str]:
    """Exit code, and all that was said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"bench.{name}", "--short"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=CHECKOUT,
    )
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_each_bench_runs_and_every_call_in_it_goes_well() -> None:
    asterisk_root()
    results = await asyncio.gather(*(run(name) for name in BENCHES))
    for (name, last), (code, said) in zip(BENCHES.items(), results, strict=True):
        if code:  # side by side on a busy machine a call may take too long for anybody: once more, alone
            code, said = await run(name)
        assert code == 0, f"bench.{name} ended with {code}:\n{said}"
        assert last in said, f"bench.{name} did not come to its end:\n{said}"
