"""Fingerprints of pytrees: equal ones agree, and others as good as never."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum import envs, tree
from jaxcurriculum.testing.compiling import quick_jit


def test_mazes_that_differ_have_fingerprints_that_differ():
    """20,000 mazes, of which 0.05 pairs would agree by chance, and every change of one word."""
    sample = jax.vmap(envs.Mazes().sample)
    mazes = quick_jit(sample)(jax.random.split(jax.random.key(0), 20_000))
    marks = np.asarray(quick_jit(jax.vmap(tree.fingerprint))(mazes))
    assert marks.dtype == np.uint32 and len(np.unique(marks)) == 20_000
    bits = np.unpackbits(marks.view(np.uint8)).mean()
    np.testing.assert_allclose(bits, 0.5, atol=0.01)
    maze = tree.take(mazes, 0)
    flipped = jax.vmap(lambda cell: maze.walls ^ cell)(jnp.eye(169, dtype=bool).reshape(-1, 13, 13))
    changed = jax.vmap(lambda walls: tree.fingerprint(maze.replace(walls=walls)))(flipped)
    assert marks[0] not in np.asarray(changed) and len(np.unique(changed)) == 169


def test_equal_numbers_have_equal_fingerprints():
    zeros = [tree.fingerprint({"x": jnp.array([1.5, zero])}) for zero in (0.0, -0.0)]
    other = tree.fingerprint({"x": jnp.array([0.0, 1.5])})
    assert zeros[0] == zeros[1] != other
