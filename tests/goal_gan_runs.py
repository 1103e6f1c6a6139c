"""A small GoalGAN, and attempts at what it proposes."""

import jax
import jax.numpy as jnp

from jaxcurriculum import Box
from jaxcurriculum.teachers import GoalGanConfig
from jaxcurriculum.testing.trials import made_up_episodes

SPACE = Box(names=("x", "constant", "y"), low=(-1.0, 2.0, 0.0), high=(1.0, 2.0, 6.0))
SMALL = GoalGanConfig(
    update_every=20,
    num_iterations=5,
    pretrain_iterations=0,
    generator_hidden=(8,),
    discriminator_hidden=(8,),
    open_slots=16,
    mastered_capacity=10,
    p_old=0.0,
)
KEY = jax.random.key(0)


def attempts(proposals, solved, valid=True):
    """The episodes of `proposals`, in their order, solved and valid as asked."""
    num = proposals.seeds.shape[0]
    fields = made_up_episodes(KEY, SPACE, proposals)
    return fields.replace(
        tasks=proposals.tasks,
        returns=jnp.ones(num),
        solved=jnp.broadcast_to(jnp.asarray(solved), (num,)),
        valid=jnp.broadcast_to(jnp.asarray(valid), (num,)),
    )
