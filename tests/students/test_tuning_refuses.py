"""What a rule of tuning, or who is tuned by it, may not be."""

import jax
import jax.numpy as jnp
import pytest

from jaxcurriculum import Box, students
from jaxcurriculum.records import fresh_proposals
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.students import PpoConfig, population, simulated, tune
from jaxcurriculum.testing import probes

TINY = (
    PpoConfig(hidden=(4,), minibatch_size=16),
    RolloutConfig(num_envs=4, num_steps=4, pool_size=8),
)
FALLING = students.scheduled(learning_rate=lambda round: 1.0 - round / 4)


def box(name, low, high):
    return Box(names=(name,), low=(low,), high=(high,))


def own(**functions):
    """A rule that changes nothing, but for what is given."""
    kept = {
        "init": lambda key, state: ((), state),
        "update": lambda key, rule, state, tests, round: (rule, state),
    }
    return students.Rule(
        name="own", settings=("discount",), needs_tests=False, **(kept | functions)
    )


def trained(student):
    """What a round makes of its state, shapes only."""
    key = jax.random.key(0)
    proposals = fresh_proposals(key, jnp.zeros((student.num_proposals, 1)))
    state = jax.eval_shape(student.init, key)
    return jax.eval_shape(student.train, key, state, proposals, jnp.int32(0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda ppo: tune(ppo, None), "tune.rule must be of the type Rule"),
        (
            lambda ppo: tune(ppo, students.scheduled(speed=abs)),
            "settings of the student 'ppo', which are .*discount, .*, got 'speed'",
        ),
        (
            lambda ppo: tune(simulated.toy_grid(), FALLING),
            "or a population of such, got 'toy-grid'",
        ),
        (lambda ppo: tune(tune(ppo, FALLING), FALLING), "got 'ppo, scheduled': tune a student bef"),
        (
            lambda ppo: tune(students.succession(ppo, 2, 5), FALLING),
            "got '2 x ppo in turn': tune a",
        ),
        (lambda ppo: tune(ppo, students.rising_discount([1])), "test_tasks must be given"),
        (lambda ppo: tune(ppo, students.rising_discount([1]), [[2.0]]), "test_tasks"),
        (lambda ppo: tune(ppo, students.rising_discount([1]), [[0.5]], every=0), "tune.every"),
        (lambda ppo: tune(ppo, students.rising_discount([1, 2]), [[0.5]] * 4), "must be 2, .* 4"),
        (lambda ppo: students.rising_discount([]), "steps must be a list of numbers, at least"),
        (lambda ppo: students.rising_discount([0.0]), "steps must be a list of numbers, at least"),
        (lambda ppo: students.rising_discount(3), "steps must be a list of numbers, at least"),
        (
            lambda ppo: tune(ppo, students.scheduled(discount=lambda _: jnp.ones(3))),
            r"discount must be one number, or one a learner, got the shape \(3,\)",
        ),
        (
            lambda ppo: tune(ppo, students.scheduled(learning_rate=lambda round: -1.0)),
            "learning_rate of the student 'ppo' a finite number of at least 0, but .* has -1",
        ),
        (
            lambda ppo: tune(ppo, students.scheduled(clip_ratio=lambda round: jnp.inf)),
            "clip_ratio of the student 'ppo' a finite number of at least 0, but .* has inf",
        ),
        (
            lambda ppo: tune(population(ppo, 2), students.evolving(box("discount", 0, 3)), [[0.5]]),
            "discount of the student '2 x ppo' a finite number between 0 and 1, but .* has 0 to 3",
        ),
        (lambda ppo: students.scheduled(discount=lambda: 1.0), "to a number, but: .* takes 0 posi"),
        (lambda ppo: students.scheduled(discount=lambda a, b: a), "to a number, but: .* missing 1"),
        (lambda ppo: students.scheduled(discount=lambda _: "x"), "to a number, but: .*'str'"),
        (lambda ppo: students.scheduled(discount=lambda _: None), "to a number, got one to None"),
        (
            lambda ppo: students.scheduled(discount=lambda round: round > 3),
            "got one to Shape.*bool",
        ),
        (
            lambda ppo: students.scheduled(discount=lambda round: 0.9 if round < 3 else 0.99),
            "to a number, but: Attempted boolean conversion",
        ),
        (
            lambda ppo: tune(ppo, own(init=lambda key, state: None)),
            "'own', init must return .*None",
        ),
        (
            lambda ppo: tune(ppo, own(init=lambda key, state: (state, ()))),
            "'own', init, state of the student: leaf .* is missing afterwards",
        ),
        (
            lambda ppo: trained(tune(ppo, own(update=lambda *given: None))),
            "'own', update must return .*None",
        ),
        (
            lambda ppo: trained(tune(ppo, own(update=lambda key, rule, state, *_: (1.0, state)))),
            "'own', update, state of the rule: leaf .* is new afterwards",
        ),
        (lambda ppo: own(update=3), "Rule.update must be a function, got 3"),
        (lambda ppo: students.scheduled(), "at least one schedule"),
        (
            lambda ppo: students.scheduled(discount=0.5),
            "must be a function of the round .* to a number, got 0.5",
        ),
        (lambda ppo: students.evolving([0, 1]), "evolving.space must be of the type Box"),
        (
            lambda ppo: tune(ppo, students.evolving(box("discount", 0, 1)), [[0.5]]),
            "must be the rule of a population",
        ),
    ],
)
def test_refusals(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make(students.ppo(probes.target(), *TINY))
