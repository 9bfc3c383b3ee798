"""The buffer between reader and consumer: bounded for events, unbounded for notices, a gap is told where it is."""

import asyncio

from ccserver.ari.buffer import Connected, Disconnected, Notice, NoticeBuffer, Overflowed
from ccserver.ari.messages import BridgeCreated, Event
from ccserver.ari.objects import Bridge, EpochSeconds


def event(number: int) -> Event:
    return BridgeCreated(application="a", at=EpochSeconds(number), bridge=Bridge(id=str(number)))


async def drain(buffer: NoticeBuffer) -> list[Notice]:
    buffer.close()
    notices = []
    while (notice := await buffer.get()) is not None:
        notices.append(notice)
    return notices


async def test_notices_and_events_come_out_in_the_order_they_went_in() -> None:
    buffer = NoticeBuffer(10)
    buffer.put_notice(Connected(1.0, restarted=False))
    assert buffer.put_event(event(1))
    buffer.put_notice(Disconnected("x"))
    assert await drain(buffer) == [Connected(1.0, restarted=False), event(1), Disconnected("x")]


async def test_a_full_buffer_drops_events_and_tells_how_many_where_the_gap_is() -> None:
    buffer = NoticeBuffer(3)
    kept = [buffer.put_event(event(number)) for number in range(5)]
    assert kept == [True, True, True, False, False]
    assert await drain(buffer) == [event(0), event(1), event(2), Overflowed(2)]


async def test_notices_pass_a_full_buffer() -> None:
    buffer = NoticeBuffer(1)
    buffer.put_event(event(0))
    buffer.put_event(event(1))
    buffer.put_notice(Disconnected("x"))
    buffer.put_event(event(2))
    assert await drain(buffer) == [event(0), Overflowed(1), Disconnected("x"), Overflowed(1)]


async def test_after_an_overflow_events_are_taken_again_when_half_the_buffer_is_free() -> None:
    buffer = NoticeBuffer(4)
    for number in range(5):
        buffer.put_event(event(number))
    await buffer.get()
    assert not buffer.put_event(event(5)), "one free place is not yet room"
    for _ in range(3):
        await buffer.get()
    assert buffer.put_event(event(6))
    assert await drain(buffer) == [Overflowed(2), event(6)]


async def test_a_waiting_consumer_wakes_for_a_notice_and_for_the_end() -> None:
    buffer = NoticeBuffer(4)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        first = tasks.create_task(buffer.get(), name="consumer")
        await asyncio.sleep(0)
        assert not first.done()
        buffer.put_event(event(1))
        assert await first == event(1)
        last = tasks.create_task(buffer.get(), name="consumer")
        await asyncio.sleep(0)
        buffer.close()
        assert await last is None
