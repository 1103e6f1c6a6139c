"""How long jobs take on several workers, and which jobs a worker takes."""

import random

import pytest

from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.study.schedule import makespan
from jaxcurriculum.study.workers import Worker

A, B = "a", "b"  # programs
FIRST = {A: 1, B: 10}  # seconds to load them
SCHEDULES = {  # programs and seconds of jobs, workers, seconds to load: until all are done
    (((A, 3), (A, 2), (A, 2)), 1, False): 7,
    (((A, 3), (A, 2), (A, 2)), 2, False): 4,
    (((A, 3), (A, 2), (A, 2)), 8, False): 3,
    (((A, 1), (A, 1), (A, 1), (A, 1), (A, 4)), 2, False): 6,  # the longest last
    (((A, 4), (A, 1), (A, 1), (A, 1), (A, 1)), 2, False): 4,  # and first
    (((A, 2), (A, 2), (A, 2)), 1, True): 7,  # loaded once a worker
    (((A, 2), (A, 2), (B, 2)), 2, True): 15,
    ((), 2, True): 0,
}
JOBS = [f"{number:05d}" for number in range(7)]
ORDERS = {
    (0, 1): [0, 1, 2, 3, 4, 5, 6],
    (0, 2): [0, 2, 4, 6, 5, 3, 1],
    (1, 2): [1, 3, 5, 6, 4, 2, 0],
    (2, 3): [2, 5, 6, 4, 3, 1, 0],
    (8, 9): [6, 5, 4, 3, 2, 1, 0],  # more workers than jobs
}


@pytest.mark.parametrize("case", SCHEDULES)
def test_makespan(case):
    jobs, num_workers, loads = case
    assert makespan(jobs, num_workers, FIRST if loads else None) == SCHEDULES[case]


def test_makespan_keeps_grahams_bounds():
    draw = random.Random(0)
    for _ in range(100):
        seconds = [draw.expovariate(1) for _ in range(draw.randint(1, 30))]
        workers = draw.randint(1, 10)
        least = max(max(seconds), sum(seconds) / workers)
        most = sum(seconds) / workers + max(seconds) * (1 - 1 / workers)
        assert least - 1e-9 <= makespan([(A, each) for each in seconds], workers) <= most + 1e-9


def test_makespan_needs_a_worker():
    with pytest.raises(ValueError, match="num_workers must be at least 1, got 0"):
        makespan([], 0)


@pytest.mark.parametrize("worker", ORDERS)
def test_a_worker_takes_its_own_jobs_and_then_those_of_others(worker):
    assert Worker(*worker).order(JOBS) == [JOBS[index] for index in ORDERS[worker]]


def test_the_shares_of_all_workers_are_all_jobs_once():
    for count in range(1, 10):
        shares = [Worker(number, count).order(JOBS) for number in range(count)]
        own = [share[: len(JOBS[number::count])] for number, share in enumerate(shares)]
        assert sorted(job for share in own for job in share) == JOBS
        assert all(sorted(share) == JOBS for share in shares)


@pytest.mark.parametrize("text", ["3/2", "2/2", "0/0", "1/0", "2", "", "a/b", "-1/2", "0/2/3"])
def test_what_is_no_worker(text):
    with pytest.raises(RunError, match=r"got '?" + text.strip("'")):
        Worker.parse(text)
