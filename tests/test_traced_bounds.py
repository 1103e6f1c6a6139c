"""A space whose bounds are arrays inside a compiled function is the one of those numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_laws import TEACHERS

from jaxcurriculum import Box
from jaxcurriculum.testing.compiling import quick_jit

BOUNDS = np.array([[[0.1, -2.0], [10.0, 6.0]], [[0.5, 0.0], [0.7, 0.3]]], np.float32)


def box(bounds, log=(True, False)):
    low, high = bounds
    return Box(names=("mass", "length"), low=low, high=high, log=log)


USES = {
    "sample": lambda space, key: space.sample(key),
    "contains": lambda space, key: space.contains(jnp.array([0.6, 0.2])),
    "clip": lambda space, key: space.clip(jnp.array([99.0, -99.0])),
    "mutate": lambda space, key: space.mutate(key, space.from_unit(jnp.full(2, 0.4)), 0.1),
    "to_unit": lambda space, key: space.to_unit(space.from_unit(jnp.array([0.2, 0.9]))),
}


@pytest.mark.parametrize("use", USES)
def test_a_box_of_arrays_is_the_box_of_their_numbers(use):
    """But for rounding: constants are subtracted, and their logarithms taken, in float64."""
    key = jax.random.key(0)
    made = quick_jit(jax.vmap(lambda bounds: USES[use](box(bounds), key)))(BOUNDS)
    for mapped, bounds in zip(made, BOUNDS):
        np.testing.assert_allclose(mapped, USES[use](box(bounds), key), rtol=1e-5, atol=1e-6)


def test_axes_whose_bounds_are_arrays_have_a_width():
    def has_width(high):
        space = Box(names=("a", "b", "c"), low=(0.0, 1.0, 1.0), high=(high, high, 1.0))
        assert space.has_width.tolist() == [True, True, False]
        return high

    jax.eval_shape(has_width, jnp.float32(1.0))


@pytest.mark.parametrize("name", [name for name in TEACHERS if name != "in-subspace"])
def test_every_teacher_takes_bounds_that_are_arrays(name):
    def proposed(bounds, key):
        teacher = TEACHERS[name](box(bounds, log=None))
        state, proposals = teacher.propose(key, teacher.init(key), 64)
        return teacher.report(state), proposals

    key = jax.random.key(0)
    bounds = np.array([[-1.0, 0.0], [1.0, 6.0]], np.float32)
    traced = jax.eval_shape(proposed, jnp.asarray(bounds), key)
    assert traced == jax.eval_shape(lambda key: proposed(bounds, key), key)
