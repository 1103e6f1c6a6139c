"""What the study of target-directed teachers changes about worlds and teachers."""

import dataclasses

import jax
import jax.numpy as jnp
from target_worlds import discounted, judged_by_success

from jaxcurriculum import Episodes, fresh_proposals, teachers
from jaxcurriculum.spaces import Box
from jaxcurriculum.testing import probes
from jaxcurriculum.testing.compiling import quick_jit


def test_rewards_are_discounted_by_their_step():
    env = discounted(probes.endless(), 0.5)

    @quick_jit
    def play(key):
        level = env.generate(key, env.task_space.sample(key))
        state, _ = env.reset(key, level)
        actions = jax.vmap(env.action_space.sample)(jax.random.split(key, 4))
        return jax.lax.scan(lambda s, a: env.step(key, level, s, a), state, actions)[1].reward

    assert play(jax.random.key(0)).tolist() == [1.0, 0.5, 0.25, 0.125]


def test_a_teacher_that_is_judged_by_success_sees_nothing_else():
    space = Box(names=("x",), low=(0.0,), high=(1.0,))
    seen = {}

    def update(key, state, episodes, context):
        seen.update(returns=episodes.returns.tolist(), critic=episodes.critic)

    teacher = judged_by_success(dataclasses.replace(teachers.random(space), update=update))
    proposals = fresh_proposals(jax.random.key(0), jnp.zeros((2, 1)))
    episodes = Episodes.of(proposals, jnp.array([-9.0, -5.0]), jnp.array([False, True]))
    teacher.update(None, None, episodes, None)
    assert seen == {"returns": [0.0, 1.0], "critic": None}
