"""A teacher that writes down what it hears, to be combined."""

import jax
import jax.numpy as jnp

from jaxcurriculum import Box, Teacher, fresh_proposals

SPACE = Box(names=("height", "spacing", "angle"), low=(0.0, 1.0, -1.0), high=(3.0, 7.0, 1.0))
KEY = jax.random.key(0)


def listener(space=SPACE, origin=7, name="listener"):
    """A teacher of one task and one origin, whose state is what it heard: number of episodes,
    sums of returns and of origins.
    """

    def propose(key, state, num):
        proposals = fresh_proposals(
            key, jnp.broadcast_to(jnp.array(space.high, jnp.float32), (num, space.dims))
        )
        return state, proposals.replace(origin=jnp.full((num,), origin, jnp.int32))

    def update(key, state, episodes, context):
        heard = lambda x: jnp.sum(jnp.where(episodes.valid, x, 0.0))
        new = state + jnp.stack(
            [
                heard(1.0),
                heard(episodes.returns),
                heard(episodes.origin),
                heard(episodes.tasks.sum(1)),
            ]
        )
        return new, jnp.int32(3)

    return Teacher(
        name=name,
        init=lambda key: jnp.zeros(4),
        propose=propose,
        update=update,
        report=lambda state: state,
    )
