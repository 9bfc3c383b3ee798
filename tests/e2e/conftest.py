"""Fixtures of the e2e tests: phones and prompts are made once; a centre is shared by all tests that leave it as it was."""

import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright

from ccserver.sim.phones import PhoneLibrary
from tests.e2e.centre import Centre, contact_centre
from tests.web.conftest import FLAGS


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """What is shared lives in one event loop, so the tests that share it run in that one."""
    here = Path(__file__).parent
    for item in items:  # of the whole run, and others have a fixture of that name, too
        if here in item.path.parents and "site" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def library() -> Iterator[PhoneLibrary]:
    """pjproject, once in a process."""
    with PhoneLibrary() as phones:
        yield phones


@pytest.fixture
async def centre(tmp_path: Path, library: PhoneLibrary, prompts_dir: Path) -> AsyncIterator[Centre]:
    """A contact centre of its own that serves."""
    async with contact_centre(tmp_path, library, prompts_dir) as running:
        yield running


class Shared:
    """The centre that tests share: made when the first one wants it, and anew after one that left it in disorder."""

    def __init__(self, factory: pytest.TempPathFactory, library: PhoneLibrary, prompts_dir: Path) -> None:
        self._factory = factory
        self._library = library
        self._prompts_dir = prompts_dir
        self._stack = AsyncExitStack()
        self._centre: Centre | None = None

    async def get(self) -> Centre:
        """The centre, tidy and serving."""
        if self._centre is None:
            place = self._factory.mktemp("site")
            making = contact_centre(place, self._library, self._prompts_dir)
            self._centre = await self._stack.enter_async_context(making)
        return self._centre

    async def drop(self) -> None:
        """End it; the next test gets a new one."""
        self._centre = None
        await self._stack.aclose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared(
    tmp_path_factory: pytest.TempPathFactory, library: PhoneLibrary, prompts_dir: Path
) -> AsyncIterator[Shared]:
    """Of this process."""
    centres = Shared(tmp_path_factory, library, prompts_dir)
    yield centres
    await centres.drop()


@pytest_asyncio.fixture(loop_scope="session")
async def site(shared: Shared) -> AsyncIterator[Centre]:
    """The shared centre, tidied up after each test; for tests that neither stop its daemon nor its Asterisk."""
    yield await shared.get()
    try:
        await (await shared.get()).tidy()
    except BaseException:
        await shared.drop()
        raise


@pytest_asyncio.fixture(loop_scope="session")
async def page() -> AsyncIterator[Page]:
    """A tab of Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield await browser.new_page(locale="ru-RU")
        await browser.close()
