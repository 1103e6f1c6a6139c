"""Task spaces: the unit cube and back, bounds, logarithmic axes, errors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import Box

BOX = Box(
    names=("mass", "length", "constant"),
    low=(0.1, -2.0, 4.0),
    high=(10.0, 6.0, 4.0),
    log=(True, False, False),
)


def test_samples_are_uniform_over_the_logarithm_of_a_log_axis():
    samples = jax.vmap(BOX.sample)(jax.random.split(jax.random.key(0), 20_000))
    assert bool(jnp.all(jax.vmap(BOX.contains)(samples)))
    below_one = float(jnp.mean(samples[:, 0] < 1.0))  # 1 is the middle of [0.1, 10] on a log axis
    assert abs(below_one - 0.5) < 4 * 0.5 / np.sqrt(20_000)
    assert abs(float(jnp.mean(samples[:, 1])) - 2.0) < 4 * 8 / np.sqrt(12 * 20_000)


def test_unit_cube_and_back():
    tasks = jax.vmap(BOX.sample)(jax.random.split(jax.random.key(1), 100))
    units = jax.vmap(BOX.to_unit)(tasks)
    assert float(units.min()) >= 0 and float(units.max()) <= 1
    np.testing.assert_allclose(jax.vmap(BOX.from_unit)(units), tasks, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(BOX.from_unit(jnp.ones(3)), [10.0, 6.0, 4.0], rtol=1e-6)


def test_contains_and_clip():
    assert bool(BOX.contains(jnp.array([0.1, 6.0, 4.0]))), "bounds belong to the box"
    assert not bool(BOX.contains(jnp.array([0.1, 6.1, 4.0])))
    assert not bool(BOX.contains(jnp.array([jnp.nan, 0.0, 4.0])))
    np.testing.assert_array_equal(
        BOX.clip(jnp.array([99.0, -99.0, 0.0])), np.array([10, -2, 4], np.float32)
    )


def test_mutations_stay_inside_and_near():
    task = BOX.from_unit(jnp.full(3, 0.5))
    mutants = jax.vmap(lambda key: BOX.mutate(key, task, 0.01))(
        jax.random.split(jax.random.key(2), 500)
    )
    units = jax.vmap(BOX.to_unit)(mutants)[:, :2]
    assert bool(jnp.all(jax.vmap(BOX.contains)(mutants)))
    assert 0.008 < float(jnp.std(units[:, 0])) < 0.012


@pytest.mark.parametrize(
    "arguments, word",
    [
        (dict(names=("a",), low=(1.0,), high=(0.0,)), "'a'.*low=1.0, high=0.0"),
        (dict(names=("a",), low=(0.0,), high=(float("inf"),)), "finite"),
        (dict(names=("a",), low=(0.0,), high=(1e39,)), "finite in float32.*high=1e"),
        (dict(names=("a",), low=(-3e38,), high=(3e38,)), "distance must be finite in float32"),
        (dict(names=("a", "b"), low=(0.0,), high=(1.0, 1.0)), "Box.low.*2 names but 1"),
        (dict(names=("a",), low=(0.0,), high=(1.0,), log=(True,)), "positive"),
        (dict(names=(), low=(), high=()), "at least one"),
        (dict(names=("a", "a"), low=(0, 0), high=(1, 1)), "must differ from each other"),
    ],
)
def test_bad_boxes_are_refused_in_one_sentence(arguments, word):
    with pytest.raises(ValueError, match=word):
        Box(**arguments)
