"""What a call has heard: all of it for a test, the newest part for a phone that lives for days."""

import numpy as np

from ccserver.sim.phones.handset import FRAME_SAMPLES, Ear

FRAMES_IN_A_MINUTE = 3000


def frame(value: int) -> bytes:
    return np.full(FRAME_SAMPLES, value, "<i2").tobytes()


def test_an_ear_that_remembers_all_gives_back_a_minute_sample_by_sample() -> None:
    ear = Ear()
    for number in range(FRAMES_IN_A_MINUTE):
        ear.take(frame(number + 1))
    assert ear.duration_s == 60.0
    assert ear.sound().samples[::FRAME_SAMPLES].tolist() == list(range(1, FRAMES_IN_A_MINUTE + 1))


def test_an_ear_that_forgets_still_knows_the_newest_seconds_in_order() -> None:
    ear = Ear(remembers_s=2.0)
    for number in range(FRAMES_IN_A_MINUTE):
        ear.take(frame(number + 1))
        if number > 100:
            assert ear.last(2.0).samples[::FRAME_SAMPLES].tolist() == list(range(number - 98, number + 2))
    assert ear.duration_s <= 10.0
    assert len(ear.received().samples) == len(ear.sound().samples)
