"""Pictures: what stands in them is what stands in the level, where it stands there."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from episodes import FLAT, HEXAGON, glide
from PIL import ImageColor

from jaxcurriculum import envs
from jaxcurriculum.envs.walker import drawing
from jaxcurriculum.envs.walker.bodies import get_body
from jaxcurriculum.envs.walker.engine.surfaces import GROUND, STEP
from jaxcurriculum.envs.walker.engine.terrain import END

ROUGH = np.array(
    [
        [0.0, 3.0],
        [8.0, 3.5],
        [8.0, 1.5],
        [10.0, 1.5],
        [10.0, 3.5],
        [14.0, 4.2],
        [14.0, 4.7],
        [30.0, 5.0],
    ]
)  # pit and stairs


def near(picture, colour, tolerance=30):
    """Which pixels [height, width] have a colour of `drawing.COLOURS`."""
    return (
        np.abs(
            np.asarray(picture.convert("RGB")).astype(int)
            - ImageColor.getrgb(drawing.COLOURS[colour])
        ).sum(-1)
        < tolerance
    )


def test_the_scene_of_a_level_has_its_stumps():
    env = envs.stump_tracks()
    ground, stumps = drawing.scene(env.generate(jax.random.key(0), jnp.array([2.0, 3.0])))
    np.testing.assert_allclose(ground[:, 1], GROUND, rtol=1e-6)
    boxes = np.array(stumps)
    left, right, foot, top = (
        boxes[:, :, 0].min(1),
        boxes[:, :, 0].max(1),
        boxes[:, :, 1].min(1),
        boxes[:, :, 1].max(1),
    )
    assert len(stumps) == np.ceil((END - left[0]) / (STEP + 3.0))
    np.testing.assert_allclose(np.diff(left), STEP + 3.0, rtol=1e-4)
    np.testing.assert_allclose(right - left, STEP, rtol=1e-4)
    np.testing.assert_allclose(foot, GROUND, rtol=1e-5)
    np.testing.assert_allclose(
        (top - GROUND) / STEP, 2.0, atol=0.5
    )  # heights are N(2, 0.1^2) steps


def test_the_silhouette_has_hull_and_links_about_the_lidar():
    env, body = envs.stump_tracks(), get_body("default")
    level = env.generate(jax.random.key(0), jnp.array([1.0, 3.0]))
    state, _ = env.reset(jax.random.key(1), level)
    polygons, origin = drawing.silhouette(body, level, state)
    assert [polygon.shape for polygon in polygons] == [(5, 2)] + [(4, 2)] * 4
    np.testing.assert_allclose(
        np.ptp(polygons[0], axis=0), np.ptp(np.array(body.hull), axis=0), atol=0.02
    )  # it starts nearly level
    np.testing.assert_allclose(polygons[0].mean(0) - origin, np.mean(body.hull, 0), atol=0.02)
    assert min(float(polygon[:, 1].min()) for polygon in polygons) > GROUND - 0.05


@pytest.mark.parametrize("ground", [FLAT, ROUGH], ids=["flat", "rough"])
def test_earth_begins_at_the_height_of_the_ground(ground):
    episode = glide(40, num_legs=4, ground=ground)
    for frame in (0, 20, 39):
        earth = near(drawing.draw_frame(episode, frame), "earth")
        left, bottom = episode.camera[frame]
        scale = drawing.HEIGHT / episode.height
        x = left + (np.arange(drawing.WIDTH) + 0.5) / scale
        height = bottom + (drawing.HEIGHT - earth.argmax(0)) / scale
        is_wall = np.abs(np.interp(x + 0.05, *ground.T) - np.interp(x - 0.05, *ground.T)) > 0.1
        wrong = (np.abs(height - np.interp(x, *ground.T)) > 0.05) & ~is_wall
        assert wrong.mean() < 0.05  # rays, marks and the finish hide some of it


def test_any_convex_polygon_is_drawn_where_it_stands():
    shapes = {corners: HEXAGON[:corners] * 0.8 + [11.0, 5.5] for corners in (3, 4, 6)}
    for shape in shapes.values():
        episode = glide(20, obstacles=[shape, shape + [50.0, 0.0]], height=2.5)
        pixels = near(drawing.draw_frame(episode, 0), "obstacle")
        x, y = shape.T
        area = abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2
        scale = drawing.HEIGHT / episode.height
        assert abs(pixels.sum() / scale**2 / area - 1) < 0.05
        rows, columns = np.nonzero(pixels)
        left, bottom = episode.camera[0]
        edges = left + np.array([columns.min(), columns.max() + 1]) / scale
        np.testing.assert_allclose(edges, [x.min(), x.max()], atol=0.05)
        heights = bottom + (drawing.HEIGHT - np.array([rows.max() + 1, rows.min()])) / scale
        np.testing.assert_allclose(heights, [y.min(), y.max()], atol=0.05)


def test_the_camera_rests_on_flat_ground_and_glides_over_rough_ground():
    assert np.ptp(glide(100).camera[:, 1]) < 1e-9
    episode = glide(100, ground=ROUGH)
    left, bottom = episode.camera.T
    assert np.ptp(bottom) > 0.5 and np.abs(np.diff(bottom)).max() < 0.15  # m a frame
    np.testing.assert_allclose(episode.origin[:, 0] - left, episode.origin[0, 0] - left[0])
    above = episode.origin[:, 1] - bottom
    assert (above > 0.5).all() and (above < episode.height - 0.5).all()


@pytest.mark.parametrize("height", [1.5, 2.5, 4.0])
@pytest.mark.parametrize("obstacle", [0.0, 1.4, 3.5])
def test_walker_and_obstacles_fill_the_picture(height, obstacle):
    """Between the earth and the tallest thing on the way; above both there is room for the
    caption.
    """
    stump = np.array([[9.0, 3.0], [9.5, 3.0], [9.5, 3.0 + obstacle], [9.0, 3.0 + obstacle]])
    episode = glide(20, height=height, obstacles=[stump])
    picture = drawing.draw_frame(episode, 10)
    drawn = near(picture, "hull") | near(picture, "near_leg") | near(picture, "obstacle")
    assert 0.1 < np.flatnonzero(drawn[50:].any(1))[0] / drawing.HEIGHT + 50 / drawing.HEIGHT < 0.3
    assert near(picture, "earth").any(1).mean() < 0.2
