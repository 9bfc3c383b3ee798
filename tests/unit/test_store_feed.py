"""The live feed: everybody is woken, nobody is waited for."""

import asyncio

from ccserver.store.feed import LiveFeed
from tests.store_turns import Script

RECORDS = Script().adopted().records


async def test_a_new_watcher_is_woken_at_once_so_that_he_shows_the_first_picture() -> None:
    feed = LiveFeed()
    with feed.subscribe() as changes:
        assert await anext(changes) == 0


async def test_every_watcher_is_woken_by_a_publication() -> None:
    feed = LiveFeed()
    with feed.subscribe() as one, feed.subscribe() as other:
        await anext(one), await anext(other)
        feed.publish(RECORDS)
        assert (await anext(one), await anext(other)) == (1, 1)


async def test_a_slow_watcher_gets_one_wake_up_for_all_he_has_missed() -> None:
    feed = LiveFeed()
    with feed.subscribe() as changes:
        await anext(changes)
        for _ in range(1000):
            feed.publish(RECORDS)
        assert await anext(changes) == 1000
        assert not changes.changed.is_set()


async def test_a_turn_that_recorded_nothing_wakes_nobody() -> None:
    feed = LiveFeed()
    with feed.subscribe() as changes:
        await anext(changes)
        feed.publish(())
        assert not changes.changed.is_set()


async def test_whoever_leaves_is_forgotten_even_when_cancelled_while_waiting() -> None:
    feed = LiveFeed()
    first_picture = asyncio.Event()

    async def watch() -> None:
        with feed.subscribe() as changes:
            async for _ in changes:
                first_picture.set()

    async with asyncio.TaskGroup() as group:
        watcher = group.create_task(watch(), name="watcher")
        await first_picture.wait()
        assert feed.watchers == 1
        watcher.cancel()
    assert feed.watchers == 0
