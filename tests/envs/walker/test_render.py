"""The animation: what stands in the picture is what stands in the level."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image, ImageColor

from jaxcurriculum import envs
from jaxcurriculum.envs.walker import render
from jaxcurriculum.envs.walker.bodies import get_body
from jaxcurriculum.envs.walker.terrain import END, GROUND, START, STEP


@pytest.fixture(scope="module")
def scene():
    env = envs.stump_tracks()
    level = env.generate(jax.random.key(0), jnp.array([2.0, 3.0]))
    state, timestep = env.reset(jax.random.key(1), level)
    return level, state, np.asarray(timestep.obs[-10:])


def test_track_polygons_are_the_stumps_of_the_level(scene):
    level, _, _ = scene
    stumps = render.track_polygons(level)
    assert len(stumps) == np.ceil((END - START) / (STEP + 3.0))
    np.testing.assert_allclose(np.diff(stumps[:, 0, 0]), STEP + 3.0, rtol=1e-4)
    np.testing.assert_allclose(stumps[:, 1, 0] - stumps[:, 0, 0], STEP, rtol=1e-4)
    np.testing.assert_allclose((stumps[:, 1, 1] - GROUND) / STEP, 2.0, atol=0.5)  # heights are N(2, 0.1^2) steps


def test_a_gif_has_a_frame_a_state_that_follows_the_walker(scene, tmp_path):
    level, state, lidar = scene
    shifts = 2.0 * np.arange(5, dtype=np.float32)
    poses = jnp.asarray(state.hull_pose)[None] + jnp.zeros((5, 3)).at[:, 0].set(shifts)
    states = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (5, *leaf.shape)), state).replace(hull_pose=poses)
    path = tmp_path / "walker.gif"
    render.write_gif(path, get_body("default"), level, states, np.tile(lidar, (5, 1)), [f"frame {i}" for i in range(5)])
    picture = Image.open(path)
    assert picture.n_frames == 5 and picture.size == (render.WIDTH, render.HEIGHT) and picture.info["duration"] == 40
    centres, stumps = [], []
    for index in range(5):
        picture.seek(index)
        pixels = np.asarray(picture.convert("RGB")).astype(int)
        near = lambda colour, pixels=pixels: np.abs(pixels - ImageColor.getrgb(colour)).sum(-1) < 40
        centres.append(np.nonzero(near(render.HULL))[1].mean())
        stumps.append(np.nonzero(near(render.STUMP))[1])
    assert np.ptp(centres) < 2  # the camera follows the hull
    first = (START - (float(poses[2, 0]) + render.AHEAD - render.WIDTH / render.SCALE / 2)) * render.SCALE
    assert abs(stumps[2].min() - first) < 3  # pixels: the first stump is where the level has it (origin and centre differ by 0.02 m)
