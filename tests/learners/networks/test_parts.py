"""Observations of every kind on their way into a network."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import Discrete
from jaxcurriculum.learners.networks import feed_forward
from jaxcurriculum.learners.networks.parts import FILTERS, Conv
from jaxcurriculum.testing.compiling import quick_jit

NETWORK = feed_forward(Discrete(num=2), (4,), 0.0)


def shapes(*image):
    obs = {"image": jnp.zeros((1, 1, *image), jnp.uint8), "word": jnp.zeros((1, 1, 5))}
    return jax.eval_shape(NETWORK.init, jax.random.key(0), obs)["policy"]["params"]


@pytest.mark.parametrize(
    "image, convolutions, size",
    [((3, 3, 1), 1, 16), ((5, 7, 2), 1, 16 * 15), ((10, 10, 4), 1, 1024), ((84, 84, 3), 4, 784)],
)
def test_large_images_become_small_before_they_are_joined(image, convolutions, size):
    layers = shapes(*image)
    assert sum("Conv" in name for name in layers) == convolutions
    assert layers["Dense_0"]["kernel"].shape == (size + 5, 4)


@pytest.mark.parametrize("stride", [1, 2])
def test_convolutions_are_those_of_flax(stride):
    image = jax.random.normal(jax.random.key(0), (2, 3, 9, 8, 2))
    params = Conv(stride).init(jax.random.key(1), image)
    theirs = nn.Conv(FILTERS, (3, 3), strides=stride, padding="VALID").apply(params, image)
    np.testing.assert_allclose(Conv(stride).apply(params, image), theirs, atol=1e-5)


def test_an_image_smaller_than_a_filter_is_refused():
    with pytest.raises(ValueError, match="must have 3 by 3 pixels at least, got 2 by 9"):
        shapes(2, 9, 1)


def test_bytes_are_seen_as_fractions():
    image = np.arange(9, dtype=np.uint8).reshape(1, 1, 3, 3, 1) * 28

    def values(seen):
        params = NETWORK.init(jax.random.key(0), seen)
        return NETWORK.unroll(params, (), seen, jnp.ones((1, 1), bool))[2]

    as_bytes, as_numbers = quick_jit(lambda *both: [*map(values, both)])(image, image / 255)
    np.testing.assert_allclose(as_bytes, as_numbers, atol=1e-6)
