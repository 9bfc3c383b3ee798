"""Fixtures of the contract tests: one real Asterisk for all of them, and a clean one for each."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from itertools import count

import pytest
import pytest_asyncio
from ari_bench import TEST_DIALPLAN
from asterisk_instance import AsteriskInstance, asterisk_instance

from ccserver.ari import AriClient, AriError, NotFound
from ccserver.asterisk.settings import ARI_USER

_numbers = count(1)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def asterisk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AsteriskInstance]:
    """A booted Asterisk with the dialplan of the ARI tests; whoever restarts it leaves it running."""
    base = tmp_path_factory.mktemp("asterisk")
    dialplans = base / "dialplans"
    dialplans.mkdir()
    (dialplans / "ari-test.conf").write_text(TEST_DIALPLAN, encoding="utf-8")
    async with asterisk_instance(base, dialplans_dir=dialplans) as running:
        yield running


@pytest_asyncio.fixture
async def ari(asterisk: AsteriskInstance) -> AsyncIterator[AriClient]:
    """A client of the shared Asterisk; the test's calls and bridges are ended after it."""
    async with AriClient(asterisk.instance.ari_url, ARI_USER, asterisk.secrets.ari_password) as client:
        yield client
        for channel in await client.list_channels():
            with contextlib.suppress(NotFound):
                await client.hangup(channel.id)
        for bridge in await client.list_bridges():
            with contextlib.suppress(AriError):
                await client.delete_bridge(bridge.id)


@pytest.fixture
def app() -> Iterator[str]:
    """An application name that no other test uses: subscriptions outlive connections."""
    yield f"t{next(_numbers)}"
