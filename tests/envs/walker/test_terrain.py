import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.envs.walker import terrain


def reference_lefts(spacing: float) -> list[float]:
    """Left sides of the stumps by the published rule: from the start pad on, a stump and a gap in turn until x reaches the end."""
    lefts, x = [], 20 * 14 / 30
    while x < 200 * 14 / 30 - 1e-9:
        lefts.append(x)
        x += 14 / 30 + max(0.01, spacing)
    return lefts


def make(height, spacing, seed=0):
    return terrain.stump_level(jax.random.key(seed), jnp.array([height, spacing], jnp.float32))


def test_stumps_stand_where_the_rule_puts_them():
    for spacing in (0.0, 0.005, 0.3, 1.7, 6.0):
        level, lefts = make(1.0, spacing), reference_lefts(spacing)
        exists = np.asarray(level.tops) > 0
        assert exists.sum() == len(lefts) and exists[: len(lefts)].all()
        window = terrain.look_around(jax.tree.map(lambda x: x[..., None], level), jnp.array([0.0]), 100.0)
        found = terrain.columns(window, jnp.array([9.5]), 5)
        np.testing.assert_allclose(found.left[:, 0], lefts[:5], atol=1e-4)
        np.testing.assert_array_equal(found.top[:, 0], level.tops[:5])


def test_heights_follow_the_rule():
    heights = (np.asarray(make(2.0, 0.0).tops[:177]) - 400 / 30 / 4) / (14 / 30)
    assert abs(heights.mean() - 2.0) < 4 * 0.1 / np.sqrt(177) and abs(heights.std() - 0.1) < 0.03
    low = (np.asarray(make(0.0, 0.0).tops[:177]) - 400 / 30 / 4) / (14 / 30)
    assert np.isclose(low.min(), 0.05, atol=1e-5) and 0.55 < np.isclose(low, 0.05, atol=1e-5).mean() < 0.82  # P(N < 0.5) = 0.69


def test_a_level_is_frozen_by_its_key():
    jax.tree.map(np.testing.assert_array_equal, make(1.0, 2.0), make(1.0, 2.0))
    assert make(1.0, 2.0).push != make(1.0, 2.0, seed=1).push
    pushes = jax.vmap(lambda k: terrain.stump_level(k, jnp.array([1.0, 1.0])).push)(jax.random.split(jax.random.key(0), 500))
    assert -5 <= pushes.min() < -4.8 and 4.8 < pushes.max() <= 5


def test_nothing_stands_outside_the_track():
    level = jax.tree.map(lambda x: x[..., None], make(3.0, 0.0))
    for start in (-5.0, 94.0, 500.0):
        assert (terrain.look_around(level, jnp.array([start]), 3.0).tops == terrain.NOWHERE).all()
