"""Which episodes of a round are recorded, where there are more than slots."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.records import fresh_proposals
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.rollout.collect import collect, init_rollout
from jaxcurriculum.rollout.scoring import init_tally, score_episodes
from jaxcurriculum.testing import probes
from jaxcurriculum.testing.compiling import quick_jit


def test_quick_levels_leave_room_for_the_slow_one_where_each_environment_has_its_own():
    """Three levels of one step and one of eight: the latter ends last, after 24 episodes."""
    env, tasks = probes.counting(), jnp.array([[0.0], [0.0], [0.0], [0.99]])
    config = RolloutConfig(num_envs=4, num_steps=16, pool_size=4, assign="slot", carry=False)

    def play(key):
        proposals = fresh_proposals(key, tasks)
        state = init_rollout(env, 4, ())
        _, rollout = collect(
            key, env, config, state, proposals, lambda key, memory, obs, first: (memory, obs, ())
        )
        tally = init_tally(4, has_critic=False)
        return score_episodes(env, rollout, tally, None, config.most_records_each)

    _, episodes, dropped = quick_jit(play)(jax.random.key(0))
    levels = np.asarray(episodes.tasks)[np.asarray(episodes.valid), 0]
    np.testing.assert_array_equal(np.sort(levels), np.repeat(tasks[:, 0], 2))
    assert int(dropped) == 3 * (16 - 2)
