"""Pictures of worlds of other packages show what there is to see."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum.envs.adapters.brax_viewer import BraxViewer
from jaxcurriculum.envs.adapters.gymnax_viewer import DOWN, UP, ObservationViewer
from jaxcurriculum.viewer import Film


def film(look):
    """One frame in which `look` is seen."""
    looks = jax.tree.map(lambda leaf: np.asarray(leaf)[None], look)
    nothing = np.zeros(1)
    return Film(level=None, looks=looks, returns=nothing, seconds=nothing, task={}, solved=False)


def num_pixels(picture, colour):
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return int((np.asarray(picture) == wanted).all(axis=2).sum())


def test_numbers_are_bars_as_long_as_they_are_large():
    viewer = ObservationViewer()
    picture = viewer.picture(film(np.array([1.0, -0.5])), 0)
    assert picture.width % 16 == picture.height % 16 == 0
    up, down = (num_pixels(picture, colour) for colour in (UP, DOWN))
    assert up == pytest.approx(2 * down, rel=0.05) and down > 1000


def test_the_strongest_channel_colours_a_cell_of_an_image():
    image = np.zeros((10, 10, 4), np.float32)
    image[2, 3, 0] = image[4, 5, 1] = 1
    picture = ObservationViewer().picture(film({"obs": image}), 0)
    assert num_pixels(picture, UP) == num_pixels(picture, DOWN) == 18**2


def test_a_robot_is_drawn_where_its_links_are():
    """A capsule along z, of a link that is turned by a right angle about y, lies along x."""
    viewer = BraxViewer(
        link=np.array([0]),
        ends=np.array([[[0.0, 0.0, -1.0], [0.0, 0.0, 1.0]]], np.float32),
        radius=np.array([0.1]),
        axes=("gravity",),
        metres=5.0,
        from_above=False,
        steps_per_frame=1,
        frames_per_second=20.0,
    )
    turned = jnp.array([[np.cos(np.pi / 4), 0.0, np.sin(np.pi / 4), 0.0]])

    class State:
        class x:
            pos, rot = jnp.array([[2.0, 0.0, 1.0]]), turned

    ends = viewer.look(jnp.ones(1), State, jnp.zeros(3))
    np.testing.assert_allclose(ends[0], [[1.0, 0.0, 1.0], [3.0, 0.0, 1.0]], atol=1e-6)
    blue = (np.asarray(viewer.picture(film(ends), 0)) == [0x3D, 0x6E, 0xA5]).all(axis=2)
    rows, columns = blue.nonzero()
    assert np.ptp(columns) == pytest.approx(2.2 * 96, abs=3)  # 480 pixels are 5 m
    assert np.ptp(rows) == pytest.approx(0.2 * 96, abs=3)
