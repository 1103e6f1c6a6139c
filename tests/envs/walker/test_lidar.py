import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.envs.walker import lidar, terrain


def ray_cast(level, origin):
    """Nearest hit of the ten rays with every side of every stump and the ground, in plain NumPy float64."""
    tops, pitch = np.asarray(level.tops, float), float(level.pitch)
    segments = [((-1e3, terrain.GROUND), (1e3, terrain.GROUND))]
    for i in np.flatnonzero(tops > 0):
        left, right, top = terrain.START + i * pitch, terrain.START + i * pitch + 14 / 30, tops[i]
        segments += [((left, terrain.GROUND), (left, top)), ((left, top), (right, top)), ((right, top), (right, terrain.GROUND))]
    start, end = np.array(segments).swapaxes(0, 1)
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
    return fractions


def test_lidar_is_the_nearest_hit():
    rng, worst = np.random.default_rng(0), []
    for seed in range(60):
        task = jnp.array([rng.uniform(0, 3), rng.choice([0.0, rng.uniform(0, 6)])], jnp.float32)
        level = terrain.stump_level(jax.random.key(seed), task)
        origin = np.array([rng.uniform(2, 85), terrain.GROUND + rng.uniform(1.7, 3.0)])
        batch = jax.tree.map(lambda x: x[..., None], level)
        window = terrain.look_around(batch, jnp.array([origin[0] - 1]), 7.0)
        worst.append(
            np.abs(np.asarray(lidar.lidar(window, jnp.asarray(origin, jnp.float32)[:, None]))[:, 0] - ray_cast(level, origin)).max()
        )
    assert np.sort(worst)[-2] < 2e-4  # a ray may graze a corner on either side once
