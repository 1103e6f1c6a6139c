"""The lidar against a plain ray cast in NumPy float64 on every kind of track."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from walker_scenes import batched

from jaxcurriculum import envs
from jaxcurriculum.envs.walker.engine.terrain import look_around
from jaxcurriculum.envs.walker.lidar import lidar
from jaxcurriculum.envs.walker.viewer import scene
from jaxcurriculum.testing.compiling import quick_jit

TRACKS = {
    "stumps": envs.stump_tracks,
    "rotated stumps": lambda: envs.stump_tracks(stump_width=(1.0, 2.0), stump_rotation=(0.0, 6.28)),
    "hexagons": envs.hexagon_tracks,
    "sequences": envs.stump_sequences,
    "rough ground": envs.bipedal_walker,
    "hardcore": lambda: envs.bipedal_walker(hardcore=True),
    "obstacles": envs.obstacle_tracks,
}


def ray_cast(segments, origin):
    """Nearest hit of the ten rays with segments [num, 2 (ends), 2]."""
    start, end = segments[:, 0], segments[:, 1]
    along, fractions = end - start, []
    for i in range(10):
        angle = 1.5 * i / 10
        ray = 160 / 30 * np.array([np.sin(angle), -np.cos(angle)])
        det = ray[0] * -along[:, 1] + ray[1] * along[:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            offset = start - origin
            t = (offset[:, 0] * -along[:, 1] + offset[:, 1] * along[:, 0]) / det
            u = (ray[0] * offset[:, 1] - ray[1] * offset[:, 0]) / det
        hit = (det != 0) & (t >= 0) & (t <= 1) & (u >= 0) & (u <= 1)
        fractions.append(min([1.0, *t[hit]]))
    return np.array(fractions)


@pytest.mark.parametrize("name", TRACKS)
def test_lidar_is_the_nearest_hit(name):
    env, rng, worst = TRACKS[name](), np.random.default_rng(0), []
    generate = quick_jit(lambda key: env.generate(key, env.task_space.sample(key)))
    look = quick_jit(lambda level, origin: lidar(look_around(level, origin[0] - 1, 7.0), origin))
    for seed in range(60):
        level = generate(jax.random.key(seed))
        ground, obstacles = scene(jax.tree.map(np.asarray, level))
        ground = np.array([[-9.0, ground[0, 1]], *ground, [200.0, ground[-1, 1]]])
        segments = np.stack([ground[:-1], ground[1:]], 1).astype(float)
        sides = [np.stack([polygon, np.roll(polygon, -1, 0)], 1) for polygon in obstacles]
        x = rng.uniform(2, 85)
        over = [
            polygon[:, 1].max()
            for polygon in obstacles
            if polygon[:, 0].min() < x + 0.1 and polygon[:, 0].max() > x - 0.1
        ]
        origin = np.array([x, max([np.interp(x, *ground.T), *over]) + rng.uniform(0.2, 2.5)])
        found = look(batched(level), jnp.asarray(origin, jnp.float32)[:, None])[:, 0]
        worst.append(
            np.abs(np.asarray(found) - ray_cast(np.concatenate([segments, *sides]), origin)).max()
        )
    assert np.sort(worst)[-2] < 5e-4  # a ray may graze a corner on either side once
