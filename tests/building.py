"""A small builder, and made-up episodes of the two students whom it compares."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum import Box, Context, Episodes, teachers

SPACE = Box(names=("x", "y"), low=(0.0, 0.0), high=(1.0, 4.0))
NUM = 8
BUILDER = teachers.BuilderConfig(hidden=(8,), memory_size=8, num_epochs=2, minibatch_size=4)
CONFIG = teachers.PairedConfig(num_levels=NUM, builder=BUILDER)
NUMBERS = teachers.box_editor(SPACE, teachers.BoxEditorConfig(num_bins=None, noise_size=0))
CONTEXT = Context(jnp.int32(0), jnp.int32(0), lambda *_: None)


def episodes_of(proposals, returns, learner):
    """One episode of `learner` on every proposal; those whose return is nan did not end."""
    learner = jnp.full(returns.shape, learner, jnp.int32)
    valid = jnp.isfinite(returns)
    return Episodes.of(proposals, returns, returns > 0, learner=learner, valid=valid)


def of_both(proposals, protagonist, antagonist):
    each = [episodes_of(proposals, protagonist, 0), episodes_of(proposals, antagonist, 1)]
    return jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *each)


def same(a, b):
    return all(jax.tree.leaves(jax.tree.map(lambda x, y: bool(jnp.all(x == y)), a, b)))


def layers(params):
    """Two layers of a network, as NumPy has them."""
    dense = [params["params"][f"Dense_{i}"] for i in range(2)]
    return [(np.array(d["kernel"], float), np.array(d["bias"], float)) for d in dense]
