"""What a step costs grows no faster than the logarithm of what waits: by counted operations, which no busy machine changes."""

import heapq

import pytest
from sortedcontainers import SortedList

from bench.router import Moment, counted, logarithm, operations


@pytest.mark.parametrize("agents", [10, 300])
def test_a_step_costs_no_more_than_the_logarithm_of_the_waiting(agents: int) -> None:
    few, many = operations(agents, 10, rounds=8), operations(agents, 2000, rounds=8)
    assert many / few <= logarithm(10, 2000)
    # Far from it, in fact: places are found by bisection, and all else is the same work.
    assert many - few < 200


@pytest.mark.parametrize("waiting", [0, 100])
def test_a_step_costs_no_more_than_the_logarithm_of_the_agents(waiting: int) -> None:
    # From where there is an agent of each kind on: kinds are what benches are counted by.
    few, many = operations(20, waiting, rounds=8), operations(600, waiting, rounds=8)
    assert many / few <= logarithm(20, 600)
    assert many - few < 200


def test_counting_sees_the_work_of_loops_in_python_and_of_comparisons_in_c() -> None:
    moments = [Moment(n) for n in range(1000)]
    assert counted(lambda: min(moments)) >= 999
    assert counted(lambda: sorted((moment, "x") for moment in moments)) >= 999
    heap = list(moments)
    assert counted(lambda: heapq.heappop(heap)) < 100
    line = SortedList((moment, "x") for moment in moments)
    assert counted(lambda: line.add((Moment(500.5), "y"))) < 200
    assert counted(lambda: moments.index(Moment(999))) >= 999


def test_counting_twice_gives_the_same() -> None:
    assert operations(10, 20, rounds=3) == operations(10, 20, rounds=3)
