"""What stands where: the published rules, and the window that a step sees of it."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.spatial
from gymnasium.envs.box2d import bipedal_walker
from walker_scenes import batched

from jaxcurriculum import envs
from jaxcurriculum.envs.walker.drawing import scene
from jaxcurriculum.envs.walker.engine.surfaces import GROUND, STEP
from jaxcurriculum.envs.walker.engine.terrain import (
    FINISH,
    NOWHERE,
    NUM_CELLS,
    right_ends,
    window_at,
)
from jaxcurriculum.envs.walker.tracks import hexagon_tracks, rough_ground, rough_tracks
from jaxcurriculum.testing.compiling import quick_jit

TRACKS = {
    "stumps": envs.stump_tracks,
    "wide stumps": lambda: envs.stump_tracks(stump_width=(1.0, 2.0)),
    "rotated stumps": lambda: envs.stump_tracks(stump_rotation=(0.0, 6.28)),
    "hexagons": envs.hexagon_tracks,
    "sequences": envs.stump_sequences,
    "hardcore": lambda: envs.bipedal_walker(hardcore=True),
    "obstacles": envs.obstacle_tracks,
}


def reference_lefts(spacing: float) -> list[float]:
    """Left sides of the stumps by the published rule: from the start pad on, a stump and a gap
    in turn until x reaches the end.
    """
    lefts, x = [], 20 * 14 / 30
    while x < 200 * 14 / 30 - 1e-9:
        lefts.append(x)
        x += 14 / 30 + max(0.01, spacing)
    return lefts


@functools.cache
def generator(name):
    env = TRACKS[name]()
    return quick_jit(env.generate)


def stumps(height, spacing, seed=0):
    return generator("stumps")(jax.random.key(seed), jnp.array([height, spacing], jnp.float32))


def test_stumps_stand_where_the_rule_puts_them():
    for spacing in (0.0, 0.005, 0.3, 1.7, 6.0):
        obstacles, lefts = stumps(1.0, spacing).obstacles, reference_lefts(spacing)
        exists = np.asarray(obstacles.left) < NOWHERE
        assert exists.sum() == len(lefts) and exists[: len(lefts)].all()
        np.testing.assert_allclose(obstacles.left[exists], lefts, atol=1e-3)
        np.testing.assert_allclose(
            obstacles.right[exists] - obstacles.left[exists], STEP, atol=1e-4
        )


def test_heights_and_widths_follow_the_rule():
    heights = (np.asarray(stumps(2.0, 0.0).obstacles.top[:177]) - GROUND) / STEP
    assert abs(heights.mean() - 2.0) < 4 * 0.1 / np.sqrt(177) and abs(heights.std() - 0.1) < 0.03
    low = (np.asarray(stumps(0.0, 0.0).obstacles.top[:177]) - GROUND) / STEP
    is_least = np.isclose(low, 0.05, atol=1e-5)
    assert is_least[low.argmin()] and 0.55 < is_least.mean() < 0.82  # P(N < 0.5) = 0.69
    wide = generator("wide stumps")(jax.random.key(0), jnp.array([1.0, 0.5, 1.5])).obstacles
    exists = np.asarray(wide.left) < NOWHERE
    widths = np.asarray(wide.right - wide.left)[exists] / STEP
    assert (
        abs(widths.mean() - 1.5) < 4 * 0.1 / np.sqrt(len(widths)) and abs(widths.std() - 0.1) < 0.03
    )
    np.testing.assert_allclose(
        np.asarray(wide.left)[exists][1:] - np.asarray(wide.right)[exists][:-1], 0.5, atol=1e-4
    )


def test_a_level_is_frozen_by_its_key():
    jax.tree.map(np.testing.assert_array_equal, stumps(1.0, 2.0), stumps(1.0, 2.0))
    assert stumps(1.0, 2.0).push != stumps(1.0, 2.0, seed=1).push
    pushes = jax.vmap(lambda key: generator("stumps")(key, jnp.array([1.0, 1.0])).push)(
        jax.random.split(jax.random.key(0), 500)
    )
    assert -5 <= pushes.min() < -4.8 and 4.8 < pushes.max() <= 5


def test_rotated_stumps_turn_about_the_middle_of_their_foot():
    level = generator("rotated stumps")(jax.random.key(1), jnp.array([2.0, 1.0, 1.2]))
    upright = stumps(2.0, 1.0).obstacles
    polygons = np.array(scene(level)[1], float)
    foot = polygons[:, :2].mean(1)
    np.testing.assert_allclose(
        foot[:, 0], np.asarray(upright.left)[: len(foot)] + STEP / 2, atol=1e-3
    )
    np.testing.assert_allclose(foot[:, 1], GROUND, atol=1e-4)
    along = polygons[:, 1] - polygons[:, 0]
    angles = np.arctan2(along[:, 1], along[:, 0])
    assert (
        abs(angles.mean() - 1.2) < 4 * 0.1 / np.sqrt(len(angles)) and abs(angles.std() - 0.1) < 0.03
    )


def test_hexagons_are_convex_hulls():
    task = jax.random.uniform(jax.random.key(0), (12,), maxval=4.0)
    polygons = scene(generator("hexagons")(jax.random.key(1), task))[1]
    assert len(polygons) == 10  # every 9 m from 9.33 to 93.33
    rng, convex_hull = np.random.default_rng(0), quick_jit(hexagon_tracks.convex_hull)
    for points in rng.uniform(-1, 1, (100, 6, 2)):
        hull = np.asarray(convex_hull(jnp.asarray(points, jnp.float32)))
        expected = points[scipy.spatial.ConvexHull(points).vertices]
        start = np.argmin(np.abs(expected - hull[0]).sum(1))
        np.testing.assert_allclose(hull[: len(expected)], np.roll(expected, -start, 0), atol=1e-6)
        np.testing.assert_array_equal(
            hull[len(expected) :], np.broadcast_to(hull[0], (6 - len(expected), 2))
        )


def test_hexagons_stand_on_their_mean_corners():
    task = np.random.default_rng(2).uniform(0, 4, 12).astype(np.float32)
    levels = jax.vmap(lambda key: generator("hexagons")(key, jnp.asarray(task)))(
        jax.random.split(jax.random.key(0), 200)
    )
    base = np.array([(-0.5, 0), (-0.5, 0.25), (-0.25, 0.5), (0.25, 0.5), (0.5, 0.25), (0.5, 0)])
    top = (base + task.reshape(6, 2))[1:5, 1].max()
    tops = (np.asarray(levels.obstacles.vertices[:, 1, :-1]).max(-1) - GROUND) / STEP
    assert abs(tops.mean() - top) < 0.2  # the highest of four corners that move by 0.1 each
    np.testing.assert_allclose(
        np.asarray(levels.obstacles.vertices[:, 1, :-1]).min(-1), GROUND, atol=1e-5
    )


def test_sequences_are_five_boxes_side_by_side():
    task = np.array([1, 0.5, 2, 0.0, 3, 1.0, 0, 2.0, 4, 0.7], np.float32)
    obstacles = generator("sequences")(jax.random.key(0), jnp.asarray(task)).obstacles
    exists = np.asarray(obstacles.left) < NOWHERE
    sides = (np.asarray(x)[exists] for x in jax.tree.leaves(obstacles))
    left, right, top = (x.reshape(-1, 5) for x in sides)
    np.testing.assert_allclose(left[:, 1:], right[:, :-1], atol=1e-4)
    np.testing.assert_allclose(left[1:, 0] - right[:-1, 4], 8.0, atol=1e-4)
    assert np.isclose(left[0, 0], 20 * STEP)
    assert left[-1, 0] < 200 * STEP and right[-1, 4] + 8.0 >= 200 * STEP
    assert np.abs((top - GROUND) / STEP - np.maximum(task[::2], 0.05)).max() < 0.5
    assert np.abs(right - left - np.maximum(task[1::2], 0.05)).max() < 0.5


class Replay:
    """gymnasium's random numbers, taken from a table of ours [NUM_CELLS, NUM_DRAWS] in the
    order in which its generator asks.
    """

    def __init__(self, table, env):
        self.table, self.env, self.calls = np.asarray(table, float), env, {}

    def draw(self, column):
        return self.table[len(self.env.terrain_x) - 1, column]

    def uniform(self, low, high):
        return low + (high - low) * self.draw(0)

    def random(self):
        return self.draw(0)

    def integers(self, low, high):
        column = {(5, 10): 1, (1, 4): 2}.get((low, high), 3)  # lengths of runs, kinds, sizes
        return low + int((high - low) * self.draw(column))


class Gymnasium(bipedal_walker.BipedalWalker):
    """The generator of gymnasium alone, with what it builds kept as polygons."""

    def generate(self, table):
        boxes = []

        class World:
            def CreateStaticBody(self, fixtures):  # noqa: N802 (Box2D's name)
                if (
                    isinstance(fixtures.shape.vertices[0], tuple)
                    and len(fixtures.shape.vertices) == 4
                ):
                    boxes.append(np.array(fixtures.shape.vertices))
                return type("Thing", (), {})()

        self.world = World()
        self._np_random = Replay(table, self)
        self._generate_terrain(True)
        return np.stack([self.terrain_x, self.terrain_y], 1), boxes


def surface_height(x, ground, boxes):
    """Height of the highest solid thing at each x."""
    heights = np.interp(x, *np.asarray(ground, float).T)
    for box in boxes:
        on = (x > box[:, 0].min()) & (x < box[:, 0].max())
        heights = np.where(on, np.maximum(heights, box[:, 1].max()), heights)
    return heights


def test_hardcore_tracks_are_gymnasiums():
    rng, reference = np.random.default_rng(0), Gymnasium(hardcore=True)
    # Behind the finish gymnasium still has the ends of obstacles that the last steps cut off.
    x = np.arange(0.003, FINISH, 0.0371)
    task = jnp.ones(1)
    obstacles = rough_ground.Obstacles(np.array([True] * 3), rough_tracks._draw_hardcore, ramp=True)
    for _ in range(30):
        table = rng.uniform(size=(NUM_CELLS, rough_ground.NUM_DRAWS)).astype(np.float32)
        heights, boxes = rough_ground.rough_ground(jnp.asarray(table), task, obstacles)
        left, right, top = (np.asarray(b) for b in (boxes.left, boxes.right, boxes.top))
        ours = [np.array([[a, -99], [b, c]]) for a, b, c in zip(left, right, top) if a < NOWHERE]
        ground, theirs = reference.generate(table)
        np.testing.assert_allclose(heights, ground[:, 1], atol=1e-4)
        found = surface_height(x, np.stack([ground[:, 0], heights], 1), ours)
        assert np.abs(found - surface_height(x, ground, theirs)).max() < 1e-3


def test_obstacle_tracks_keep_the_tasks_ranges():
    generate = generator("obstacles")
    task = jnp.array([0.0, 2.0, 1.5, 1.0, 0.5, 0.3, 0.6, 5.0])
    kinds = set()
    for seed in range(20):
        ground, polygons = scene(jax.tree.map(np.asarray, generate(jax.random.key(seed), task)))
        ground, boxes = ground.astype(float), [p.astype(float) for p in polygons]
        for box in boxes:
            width = np.ptp(box[:, 0]) / STEP
            kinds.add(round(width) if abs(width - round(width)) < 1e-3 else "wall")
        floor = (GROUND - ground[:, 1].min()) / STEP
        assert floor <= 4 + 4 * 0.6 * 5 + 1e-3
    # stumps and near walls, stairs, far walls that reach to the next whole step
    assert kinds >= {1, 4, "wall"}
    below_thresholds = jnp.array([0.0, 0.7, 0.1, 0.1, 0.15, 0.0, 0.19, 5.0])
    flat = generate(jax.random.key(0), below_thresholds)
    assert np.allclose(flat.ground, GROUND) and (np.asarray(flat.obstacles.left) >= NOWHERE).all()


@pytest.mark.parametrize("name", TRACKS)
def test_a_window_holds_all_that_touches_it(name):
    """Padding never costs a contact: what a window leaves out lies outside it."""
    env, rng = TRACKS[name](), np.random.default_rng(3)
    for seed in range(40):
        level = generator(name)(
            jax.random.key(seed), env.task_space.sample(jax.random.key(100 + seed))
        )
        left = np.asarray(
            level.obstacles.left
            if hasattr(level.obstacles, "left")
            else level.obstacles.vertices[0].min(1)
        )
        right = np.asarray(right_ends(level.obstacles))
        start, stretch = rng.uniform(-2, 93), 8.6
        view = window_at(batched(level), jnp.array([start], jnp.float32), stretch)
        inside = (right >= max(start, 0)) & (left <= start + stretch)
        seen = np.asarray(right_ends(view.obstacles))[:, 0]
        assert np.isin(right[inside], seen).all()
        near_start, near = start + rng.uniform(0, 7), 1.4
        inside = (right >= max(near_start, 0)) & (left <= near_start + near)
        seen = np.asarray(
            right_ends(view.near(jnp.array([near_start], jnp.float32), near)[1])
        ).ravel()
        assert np.isin(right[inside], seen).all()


def test_no_track_needs_more_boxes_than_its_table_holds():
    for name, task in (
        ("hardcore", jnp.ones(1)),
        ("obstacles", jnp.array([0.0, 0.0, 0.8, 0.0, 0.1, 0.0, 0.1, 9.0])),
    ):
        counts = [
            int((generator(name)(jax.random.key(s), task).obstacles.left < NOWHERE).sum())
            for s in range(200)
        ]
        assert 20 < max(counts) < rough_ground.MOST_BOXES
