"""What every track environment shares: a walker, a track, the published observation and reward."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp

from jaxcurriculum.device.xla import short_sum
from jaxcurriculum.envs.walker.bodies import SIZES, Anatomy, AnyBody, Body, anatomy, get_body
from jaxcurriculum.envs.walker.engine.batching import in_blocks, trailing_batch
from jaxcurriculum.envs.walker.engine.contact import hull_touches
from jaxcurriculum.envs.walker.engine.dynamics import advance
from jaxcurriculum.envs.walker.engine.kinematics import WalkerState, hull_origin
from jaxcurriculum.envs.walker.engine.surfaces import Columns, Polygons
from jaxcurriculum.envs.walker.engine.terrain import (
    FINISH,
    MAX_PUSH,
    Density,
    Level,
    Window,
    index_obstacles,
    window_at,
)
from jaxcurriculum.envs.walker.feasibility import check_feasible
from jaxcurriculum.envs.walker.initial_state import initial_state
from jaxcurriculum.envs.walker.senses import RANGE, no_contact, observe, update_flags
from jaxcurriculum.envs.walker.viewer import WalkerViewer
from jaxcurriculum.fields import are_numbers
from jaxcurriculum.records import Key, TimeStep
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Box

FALL_REWARD = -100.0
SOLVED_ABOVE = 230.0
BLOCK = 64  # walkers whose numbers fit the cache together
SLACK = 0.3  # m: more than a walker moves in a step and contact looks around a link
MOST_OBSTACLES = 200  # on a track
FACTOR = (0.01, 10.0)  # of a size
CONTACT_FLAGS = ("true", "box2d")

# ground heights [NUM_CELLS] or None where flat; obstacles from left to right
Scenery = tuple[jax.Array | None, Columns | Polygons | None]
# bounds of the factors by which sizes of the body may differ
Sizes = Mapping[str, tuple[float, float]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Track:
    """A family of tracks: how a task becomes one, and how long an episode lasts there at most."""

    name: str
    task_space: Box
    scenery: Callable[[Key, jax.Array], Scenery]  # (key, task) -> scenery
    density: Density | None = None  # of the obstacles, where there are any
    max_episode_steps: int = 2000
    # or "box2d": as gymnasium's listener hears of contacts (`senses`)
    contact_flag: str = "true"


def walker_environment(track: Track, body: AnyBody, sizes: Sizes | None) -> Environment:
    """The environment of a walker on tracks.

    Action: the motors (hip, knee, leg by leg) in [-1, 1]. Observations: `senses.observe`. Reward:
    130/30 a metre forward, -5 a radian of hull angle, minus the body's cost of torque; -100 in its
    place, and the end, when the hull touches anything or x < 0. The end is also reached at x >
    88.667 m. Solved above 230. A task beyond the task space is played as the nearest one within.

    With `sizes` a task is the track's followed by a factor for each size named. Such walkers begin
    at rest in `STANCE`, where those without begin as Box2D's do, and pay the same for a motor at
    full torque, whatever the torque.

    Inside a compiled function the body may be arrays, `body_arrays`, which nobody checks.

    Raises:
      ValueError: when there is no such body, size or contact flag, bounds of a size are not factors
        from 0.01 to 10 or the wrong way round, a walker cannot begin on the start pad
        (`feasibility`), a body of arrays has sizes, too, or a task or an action has another shape.
    """
    known, arrays = (body.body, body) if isinstance(body, Anatomy) else (body, None)
    body, sizes = get_body(known), _checked(sizes)
    if arrays and sizes:
        raise ValueError(f"sizes must be empty for a body of arrays, got {sizes}.")
    if track.contact_flag not in CONTACT_FLAGS:
        raise ValueError(f"contact_flag must be 'true' or 'box2d', got {track.contact_flag!r}.")
    largest = check_feasible(body, sizes)
    fixed = jax.tree.map(lambda x: x[..., None], largest)
    space = _with_sizes(track.task_space, sizes)
    actions = _motors(body)

    def generate(key: Key, task: jax.Array) -> Level:
        task = space.clip(_of_shape(f"A task of {track.name}", task, space))
        own_dims = track.task_space.dims
        factors = dict(zip(sizes, task[own_dims:]))
        walker = anatomy(body, factors, largest.span) if sizes else None
        return _generate(track, key, task[:own_dims], walker)

    @trailing_batch
    def reset_batch(level):
        return _reset(_walker_of(level, fixed), level, track.contact_flag)

    @trailing_batch
    def step_batch(level, state, action):
        return _step(_walker_of(level, fixed), level, state, action)

    def reset(key, level):
        return reset_batch(_with_walker(level, arrays))

    def step(key, level, state, action):
        action = _of_shape(f"An action on {track.name}", action, actions)
        # a step must not be given what it does not read (`xla.one_function`)
        moving = arrays and arrays.replace(start=None, start_on_pieces=None)
        return step_batch(_with_walker(level, moving), state, action)

    return Environment(
        name=track.name,
        task_space=space,
        action_space=actions,
        batch_axis=-1,
        viewer=None if arrays else WalkerViewer(body),
        return_range=(-150.0, 350.0),
        max_episode_steps=track.max_episode_steps,
        solved_above=SOLVED_ABOVE,
        generate=generate,
        reset=reset,
        step=step,
    )


def _motors(body: Body) -> Box:
    """The action space."""
    legs, num = range(body.num_legs), body.num_joints
    names = [f"{joint}_{leg}" for leg in legs for joint in ("hip", "knee")]
    return Box(names=names, low=[-1] * num, high=[1] * num)


def _checked(sizes: Sizes | None) -> dict[str, tuple[float, float]]:
    if not isinstance(sizes, Mapping | None):
        raise ValueError(
            f"sizes must be a mapping from names to factors (low, high), got {sizes!r}."
        )
    least, most = FACTOR
    for name, bounds in (sizes or {}).items():
        if name not in SIZES:
            raise ValueError(f"sizes must be among {', '.join(SIZES)}, got {name!r}.")
        is_pair = are_numbers(bounds, least, most) and len(bounds) == 2
        if not is_pair or bounds[0] > bounds[1]:
            raise ValueError(
                f"sizes of {name} must be factors (low, high), {least:g} <= low <= high <="
                f" {most:g}, got {bounds!r}."
            )
    return dict(sizes or {})


def _with_sizes(space: Box, sizes: Mapping[str, tuple[float, float]]) -> Box:
    """`space` followed by an axis for each size."""
    if not sizes:
        return space
    lows, highs = zip(*sizes.values())
    return Box(
        names=[*space.names, *sizes],
        low=[*space.low, *lows],
        high=[*space.high, *highs],
        units=[*space.units, *[""] * len(sizes)],
        log=[*space.log, *[False] * len(sizes)],
    )


def _of_shape(what: str, values: jax.Array, space: Box) -> jax.Array:
    values = jnp.asarray(values, jnp.float32)
    if values.shape != (space.dims,):
        raise ValueError(
            f"{what} must be {space.dims} numbers ({', '.join(space.names)}), got shape"
            f" {values.shape}."
        )
    return values


def _with_walker(level: Level, walker: Anatomy | None) -> Level:
    return level if walker is None else level.replace(walker=walker)


def _walker_of(level: Level, fixed: Anatomy) -> Anatomy:
    return fixed if level.walker is None else level.walker


def _generate(track: Track, key: Key, task: jax.Array, walker: Anatomy | None) -> Level:
    key_scenery, key_push = jax.random.split(key)
    ground, obstacles = track.scenery(key_scenery, task)
    return Level(
        push=jax.random.uniform(key_push, (), minval=-MAX_PUSH, maxval=MAX_PUSH),
        ground=ground,
        obstacles=obstacles,
        first=None if obstacles is None else index_obstacles(obstacles),
        walker=walker,
        density=track.density,
    )


def _reset(walker: Anatomy, level: Level, contact_flag: str) -> tuple[WalkerState, TimeStep]:
    state, touched = initial_state(walker, level)
    if contact_flag == "box2d":
        flags = no_contact(walker.body.num_legs, level.push.shape[-1])
        state = state.replace(flags=flags)
    window = surroundings(walker, level, state.hull_pose)
    zero = jnp.zeros_like(level.push)
    time_step = TimeStep(
        obs=observe(walker, window, state, touched),
        reward=zero,
        terminated=jnp.zeros_like(zero, bool),
        truncated=jnp.zeros_like(zero, bool),
    )
    return state, time_step


def _step(
    walker: Anatomy, level: Level, state: WalkerState, action: jax.Array
) -> tuple[WalkerState, TimeStep]:
    window = surroundings(walker, level, state.hull_pose)
    one_function = not isinstance(level.obstacles, Polygons)
    if walker is level.walker:
        return in_blocks(_step_block, BLOCK, one_function)(walker, window, state, action)
    step_block = functools.partial(_step_block, walker)
    return in_blocks(step_block, BLOCK, one_function)(window, state, action)


def surroundings(walker: Anatomy, level: Level, hull_pose: jax.Array) -> Window:
    """What the links, the hull and the rays can reach during a step."""
    behind = walker.span.reach + SLACK
    ahead = max(behind, RANGE + walker.span.hull + SLACK)
    return window_at(level, hull_pose[0] - behind, behind + ahead)


def _step_block(
    walker: Anatomy, window: Window, state: WalkerState, action: jax.Array
) -> tuple[WalkerState, TimeStep]:
    new, touched = advance(walker, window, state, action)
    if state.flags is not None:
        flags = update_flags(walker, window, state, touched)
        new = new.replace(flags=flags)
        touched = flags.flag > 0
    x = hull_origin(walker, new.hull_pose)[0]
    has_fallen = hull_touches(walker, window, new.hull_pose) | (x < 0)
    reward = _progress(walker, state, new) - _torque_cost(walker, action)
    return new, TimeStep(
        obs=observe(walker, window, new, touched),
        reward=jnp.where(has_fallen, FALL_REWARD, reward),
        terminated=has_fallen | (x > FINISH),
        truncated=jnp.zeros_like(has_fallen),
    )


def potential(walker: Anatomy, hull_pose: jax.Array) -> jax.Array:
    """130/30 x - 5 |hull angle|, whose difference over a step is the reward before torque, [N]."""
    x, _ = hull_origin(walker, hull_pose)
    return 130 / 30 * x - 5 * jnp.abs(hull_pose[2])


def _progress(walker: Anatomy, before: WalkerState, after: WalkerState) -> jax.Array:
    return potential(walker, after.hull_pose) - potential(walker, before.hull_pose)


def _torque_cost(walker: Anatomy, action: jax.Array) -> jax.Array:
    effort = jnp.minimum(jnp.abs(action), 1.0)
    return walker.body.torque_cost * short_sum(effort)
