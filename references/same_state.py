"""States that Box2D reached by random play, and how far the engine and a finer Box2D get from it
when all go on from there.

Kinds of states: "flight" (nothing is touched for all the steps that follow), "one foot" and "two
feet" (so many lower links touch the ground and nothing else does), "stump edge" (a link touches a
corner of a stump), "limit" (a joint is within one degree of a limit). States after which the hull
falls within the steps that follow are left out.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum import envs
from jaxcurriculum.envs.walker.engine.kinematics import WalkerState
from jaxcurriculum.envs.walker.engine.surfaces import STEP, Columns
from jaxcurriculum.envs.walker.engine.terrain import NOWHERE, Level
from references.box2d_walker import Box2DWalker
from references.box2d_world import GROUND, box

KINDS = ("flight", "one foot", "two feet", "stump edge", "limit")
HORIZON = 20  # steps
FINER = (500, 300)  # velocity and position iterations of the finer Box2D
HOLD = 5  # steps that random play keeps an action
PLAY = (10, 50)  # steps of random play at least, and fewer than
LOOK = 20  # steps of play after that in which a state of the kind may turn up
AT_CORNER = 0.03  # m
ONE_DEGREE = np.deg2rad(1)
STUMPS = (0.8, 1.0)  # task: mean height (steps) and spacing (m)


@dataclasses.dataclass
class Cases:
    """States of one kind and the joint angles (rad) that follow in Box2D; arrays have the
    states first.
    """

    levels: Level
    states: WalkerState
    actions: np.ndarray  # [N, HORIZON, joints]
    box2d: np.ndarray  # [N, HORIZON, 2 (hip, knee), legs]
    finer: np.ndarray  # [N, HORIZON, 2 (hip, knee), legs]
    seeds: list[int]


def draw_levels(ground: str, body: str, num: int, task: Sequence[float] = STUMPS) -> Level:
    """`num` levels: "flat", gymnasium's "pieces", or "stumps" of a task; flat ground has stumps
    out of reach, to be the same program.
    """
    env = envs.stump_tracks(body)
    if ground == "pieces":
        env, task = envs.bipedal_walker(body), (1.0,)
    generate = jax.jit(jax.vmap(env.generate, in_axes=(0, None)))
    levels = generate(jax.random.split(jax.random.key(0), num), jnp.array(task))
    levels = levels.replace(push=jnp.zeros(num))
    if ground != "flat":
        return levels
    nowhere = jnp.full_like(levels.obstacles.left, NOWHERE)
    return levels.replace(
        obstacles=Columns(left=nowhere, right=nowhere, top=nowhere),
        first=jnp.zeros_like(levels.first),
    )


def in_box2d(level: Level, body: str, **options) -> Box2DWalker:
    """A walker on the same track in Box2D; stumps stand on flat ground, not in it, as the
    published ones do.
    """
    ground, obstacles = None, []
    if level.ground is not None:
        ground = [(STEP * i, float(y)) for i, y in enumerate(level.ground)]
    if level.obstacles is not None:
        boxes = level.obstacles
        assert isinstance(boxes, Columns)
        stumps = np.stack([boxes.left, boxes.right, boxes.top], axis=1).astype(float).tolist()
        obstacles = [box(a, b - a, top - GROUND) for a, b, top in stumps if a < NOWHERE]
    return Box2DWalker(body, ground, obstacles, float(level.push), **options)


def make_cases(kind: str, num: int, body: str = "default", ground: str | None = None) -> Cases:
    """`num` states of a kind, by default on flat ground or, for their edges, among stumps."""
    ground = ground or ("stumps" if kind == "stump edge" else "flat")
    levels = jax.tree.map(np.asarray, draw_levels(ground, body, num))
    found, seed = [], 0
    while len(found) < num:
        level = jax.tree.map(lambda x: x[len(found)], levels)  # noqa: B023
        case = _try(kind, body, level, seed)
        found += [] if case is None else [(level, *case, seed)]
        seed += 1
    levels, states, actions, box2d, finer, seeds = zip(*found)
    levels, states = (jax.tree.map(lambda *x: np.stack(x), *trees) for trees in (levels, states))
    return Cases(levels, states, np.stack(actions), np.stack(box2d), np.stack(finer), list(seeds))


def _try(kind: str, body: str, level: Level, seed: int):
    """State, actions and what follows in both Box2Ds; None where random play meets no such
    state.
    """
    length = play(kind, body, level, seed)[1]
    if length is None:
        return None
    angles = []
    for iterations in ((180, 60), FINER):
        walker, _, actions = play(kind, body, level, seed, length)
        state, walker.world.iterations = walker.read(), iterations
        after = []
        for action in actions[length : length + HORIZON]:
            walker.step(action)
            after.append(walker.read().joints)
            has_landed = kind == "flight" and _touching(walker)
            if len(angles) == 0 and (walker.game_over or has_landed):
                return None
        angles.append(np.stack(after))
    return state, actions[length : length + HORIZON].astype(np.float32), *angles


def play(kind: str, body: str, level: Level, seed: int, length: int | None = None):
    """Random play for `length` steps, or until a state of the kind: the walker, the steps
    played (None: in vain), all actions.
    """
    rng = np.random.default_rng(seed)
    walker = in_box2d(level, body)
    drop(walker, level, kind == "flight", rng)
    drawn = rng.uniform(-1, 1, (20, walker.body.num_joints))
    actions = np.repeat(drawn, HOLD, axis=0).astype(np.float32)
    first = int(rng.integers(*PLAY))
    last = first + LOOK if length is None else length
    for step in range(last + 1):
        if step == length or (length is None and step >= first and of_kind(kind, walker)):
            return walker, step, actions
        walker.step(actions[step])
        if walker.game_over:
            break
    return walker, None, actions


def drop(walker: Box2DWalker, level: Level, high: bool, rng) -> None:
    """Place the walker at rest in a random posture, just above all of the ground near it or
    `high` in the air.
    """
    lower = np.array(walker.body.joint_lower)[:, None]
    upper = np.array(walker.body.joint_upper)[:, None]
    x = rng.uniform(12, 70)
    walker.reset()
    state = walker.read()
    state = jax.tree.map(np.zeros_like, state).replace(
        hull_pose=np.array([x, 0.0, rng.normal(0, 0.2)]),
        joints=rng.uniform(lower, upper, state.joints.shape),
    )
    walker.place(state)
    lowest = min(
        (part.transform * corner)[1]
        for part in walker.bodies
        for corner in part.fixtures[0].shape.vertices
    )
    walker.move(0, _top(level, x) + (8 if high else rng.uniform(0.03, 0.2)) - lowest)


def _top(level: Level, x: float) -> float:
    """The highest point of the ground and its stumps within two metres of x, m."""
    tops = [GROUND]
    if level.ground is not None:
        tops += [y for i, y in enumerate(level.ground) if abs(STEP * i - x) < 2]
    if level.obstacles is not None:
        boxes = level.obstacles
        tops += [
            top
            for left, right, top in zip(boxes.left, boxes.right, boxes.top)
            if left - 2 < x < right + 2
        ]
    return float(max(tops))


def _touching(walker: Box2DWalker) -> list:
    """(part, contact) of all contacts with the track."""
    pairs = [
        (c.fixtureB if c.fixtureA.filterData.categoryBits & 1 else c.fixtureA, c)
        for c in walker.world.contacts
        if c.touching
    ]
    return [(fixture.body, contact) for fixture, contact in pairs]


def of_kind(kind: str, walker: Box2DWalker) -> bool:
    """Whether the walker is in a state of this kind."""
    if kind == "flight":
        return not _touching(walker)
    if kind == "limit":
        angles = np.array(walker.read().joints)
        limits = np.array([walker.body.joint_lower, walker.body.joint_upper])
        return bool((np.abs(angles[None] - limits[:, :, None]) < ONE_DEGREE).any())
    if kind == "stump edge":
        shapes = [shape for shape in walker.terrain if len(shape) > 2]
        corners = np.array([corner for shape in shapes for corner in shape])
        points = [
            p
            for _, contact in _touching(walker)
            for p in contact.worldManifold.points[: contact.manifold.pointCount]
        ]
        return any((np.hypot(*(corners - p).T) < AT_CORNER).any() for p in points)
    feet = sum(count > 0 for count in walker.contacts.touched)
    only_feet = all(part.userData is not None for part, _ in _touching(walker))
    return only_feet and (feet == 1 if kind == "one foot" else feet >= 2)


def engine_angles(cases: Cases, body: str, compiled: Callable = jax.jit) -> np.ndarray:
    """The joint angles that follow in the engine, [N, HORIZON, 2 (hip, knee), legs], rad."""
    return np.asarray(_engine(body, compiled)(cases.levels, cases.states, cases.actions))


@functools.cache
def _engine(body: str, compiled: Callable):
    step = jax.vmap(envs.stump_tracks(body).step, in_axes=(None, 0, 0, 0))

    @compiled
    def follow(levels, states, actions):
        def once(state, action):
            state = step(jax.random.key(0), levels, state, action)[0]
            return state, state.joints

        return jax.lax.scan(once, states, actions.swapaxes(0, 1))[1].swapaxes(0, 1)

    return follow


def errors(angles: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Largest difference of a joint's angle, [N, HORIZON], rad."""
    return np.abs(angles - reference).max((2, 3))


def quantiles(
    values: np.ndarray, steps: Sequence[int] = (1, 5, HORIZON)
) -> dict[int, tuple[float, float]]:
    """Median and 90th percentile of errors [N, HORIZON] after so many steps."""
    return {
        step: tuple(float(q) for q in np.quantile(values[:, step - 1], (0.5, 0.9)))
        for step in steps
    }
