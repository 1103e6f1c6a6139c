"""GRADIENT: equal steps on straight ways, and when the next one comes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from self_paced_runs import context

from jaxcurriculum import Box, Episodes
from jaxcurriculum.teachers import GradientConfig, gradient
from jaxcurriculum.testing.compiling import quick_jit

SQUARE = Box(names=("x", "constant", "y"), low=(-1.0, 3.0, 0.0), high=(1.0, 3.0, 10.0))


def stages(value, num_rounds, steps_a_round=100, num=8, **config):
    """The states after every round of `num` episodes that return `value(round)`."""
    teacher = gradient(SQUARE, GradientConfig(num_particles=30, num_stages=4, **config))

    def one_round(state, round):
        keys = jax.random.split(jax.random.fold_in(jax.random.key(1), round))
        state, proposals = teacher.propose(keys[0], state, num)
        returns = jnp.full((num,), value(round))
        episodes = Episodes.of(proposals, returns, returns > 0.5)
        now = context((round + 1) * steps_a_round)
        state, _ = teacher.update(keys[1], state, episodes, now)
        return state, state

    start = teacher.init(jax.random.key(0))
    rounds = jnp.arange(num_rounds)
    return start, quick_jit(lambda state: jax.lax.scan(one_round, state, rounds)[1])(start)


def test_solved_stages_lead_in_equal_steps_to_the_assigned_targets():
    start, states = stages(lambda round: 1.0, 6)
    assert states.stage.tolist() == [1, 2, 3, 4, 4, 4]
    first, targets = np.float64(start.particles), np.float64(start.targets)
    costs = np.sum((first[:, None] - targets[None]) ** 2, axis=-1)
    matched = targets[linear_sum_assignment(costs)[1]]
    for stage, particles in zip((1, 2, 3, 4, 4), states.particles):
        np.testing.assert_allclose(particles, first + stage / 4 * (matched - first), atol=1e-5)


@pytest.mark.parametrize(
    ("value", "config", "expected"),
    [
        (lambda round: 0.5, {}, [0] * 6),  # above, not at the threshold
        (lambda round: 0.0, {"max_stage_steps": 200}, [0, 1, 1, 2, 2, 3]),
        (lambda round: 1.0, {"episodes_per_judgement": 16}, [0, 1, 1, 2, 2, 3]),
        (lambda round: (round >= 2) * 0.9, {}, [0, 0, 1, 2, 3, 4]),  # earlier means are forgotten
        (lambda round: (round >= 1) * 0.9, {"episodes_per_judgement": 16}, [0, 0, 0, 1, 1, 2]),
    ],
)
def test_when_the_next_stage_comes(value, config, expected):
    assert stages(value, 6, **config)[1].stage.tolist() == expected


def test_episodes_of_an_earlier_stage_do_not_count():
    teacher = gradient(SQUARE, GradientConfig(num_particles=30))

    @quick_jit
    def one_round(key):
        state, proposals = teacher.propose(key, teacher.init(key), 8)
        late = proposals.replace(origin=proposals.origin - 1)
        episodes = Episodes.of(late, jnp.ones(8), jnp.ones(8, bool))
        return teacher.update(key, state, episodes, context(100))[0]

    state = one_round(jax.random.key(0))
    assert int(state.stage) == 0 and int(state.num) == 0
