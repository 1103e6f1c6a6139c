"""A whole training in NumPy: policy search on throws, tickets late and dropped, killed, resumed."""

import numpy as np
import pytest

from jaxcurriculum import Box, teachers
from jaxcurriculum.interop import HostTeacher

DISTANCE = Box(names=("distance",), low=(1.0,), high=(20.0,), units=("m",))


def miss(policy, distance):
    """How far from the target, in m, a throw lands whose speed is linear in the distance's root."""
    speed = policy @ np.array([1.0, np.sqrt(distance)])  # m/s
    return abs(speed * abs(speed) / 9.81 - distance)


class Trainer:
    """Tries a random change of its policy on each ticket and keeps what misses by less."""

    def __init__(self, host):
        self.host = host
        self.policy = np.array([1.0, 1.0])
        self.random = np.random.default_rng(0)
        self.late = []

    def step(self):
        self.late += self.host.sample(2)
        while len(self.late) > 3:
            ticket = self.late.pop(self.random.integers(len(self.late)))
            if self.random.random() < 0.1:
                self.host.drop(ticket)
                continue
            distance = float(ticket.task[0])
            changed = self.policy + self.random.normal(0, 0.1, 2)
            before, after = miss(self.policy, distance), miss(changed, distance)
            self.policy = changed if after < before else self.policy
            self.host.update(ticket, -min(before, after), length=1, solved=min(before, after) < 0.5)


def host():
    config = teachers.PlrConfig(capacity=50, score="return_change")
    return HostTeacher(teachers.plr(DISTANCE, config), seed=5, batch=8)


@pytest.fixture(scope="module")
def trained():
    trainer = Trainer(host())
    for _ in range(150):
        trainer.step()
    return trainer


def test_it_learns_to_throw(trained):
    distances = np.linspace(1.0, 20.0, 50)
    assert np.mean([miss(np.array([1.0, 1.0]), distance) for distance in distances]) > 5.0
    assert np.mean([miss(trained.policy, distance) for distance in distances]) < 2.0


def test_a_trainer_that_is_killed_ends_with_the_same_policy(trained):
    first = Trainer(host())
    for _ in range(70):
        first.step()
    saved = first.host.state_dict()
    second = Trainer(host())
    second.host.load_state_dict(saved)
    second.policy, second.random = first.policy, first.random
    by_id = {ticket.id: ticket for ticket in second.host.open_tickets()}
    second.late = [by_id[ticket.id] for ticket in first.late]
    for _ in range(80):
        second.step()
    np.testing.assert_array_equal(second.policy, trained.policy)
    ours, theirs = second.host.state_dict(), trained.host.state_dict()
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
