"""What every track environment shares: a walker, a track, the published observation and reward."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.envs.walker.bodies import SIZES, STANCE, Anatomy, Body, anatomy, get_body
from jaxcurriculum.envs.walker.contact_flags import hear, no_contact
from jaxcurriculum.envs.walker.engine.batching import in_blocks, trailing_batch
from jaxcurriculum.envs.walker.engine.contact import SKIN, hull_touches
from jaxcurriculum.envs.walker.engine.dynamics import TIME_STEP, advance
from jaxcurriculum.envs.walker.engine.kinematics import (
    WalkerState,
    fold,
    hull_corners,
    hull_origin,
    link_angles,
    link_corners,
    link_tops,
    posture,
)
from jaxcurriculum.envs.walker.engine.mass import body_velocities, mass_matrix, project
from jaxcurriculum.envs.walker.engine.settle import REST_GAP
from jaxcurriculum.envs.walker.engine.surfaces import GROUND, Columns, Polygons
from jaxcurriculum.envs.walker.engine.terrain import (
    FINISH,
    MAX_PUSH,
    START_X,
    Density,
    Level,
    Window,
    index_obstacles,
    look_around,
)
from jaxcurriculum.envs.walker.fits import check_fits
from jaxcurriculum.envs.walker.lidar import RANGE, lidar
from jaxcurriculum.envs.walker.starts import Start
from jaxcurriculum.envs.walker.viewer import WalkerViewer
from jaxcurriculum.fields import are_numbers
from jaxcurriculum.records import Key, TimeStep
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Box

VIEWPORT = (
    20.0,
    400 / 30,
)  # m: width and height of the published picture, which scale the observed velocity
FALL_REWARD = -100.0
BLOCK = 64  # walkers whose numbers fit the cache together
SLACK = 0.3  # m: more than a walker moves in a step and contact looks around a link
MOST_OBSTACLES = 200  # on a track
FACTOR = (0.01, 10.0)  # of a size

Scenery = tuple[
    jax.Array | None, Columns | Polygons | None
]  # ground heights [NUM_CELLS] or None where flat; obstacles from left to right
Sizes = Mapping[
    str, tuple[float, float]
]  # bounds of the factors by which sizes of the body may differ


@dataclasses.dataclass(frozen=True, kw_only=True)
class Track:
    """A family of tracks: how a task becomes one, and how long an episode lasts there at most."""

    name: str
    task_space: Box
    scenery: Callable[[Key, jax.Array], Scenery]  # (key, task) -> scenery
    density: Density | None = None  # of the obstacles, where there are any
    max_episode_steps: int = 2000
    # or "box2d": as gymnasium's listener hears of contacts (`contact_flags`)
    contact_flag: str = "true"


def walk_on(track: Track, body: str | Body, sizes: Sizes | None) -> Environment:
    """The environment of a walker on tracks.

    Action: the motors (hip, knee, leg by leg) in [-1, 1]. Observations: `observe`. Reward: 130/30 a
    metre forward, -5 a radian of hull angle, minus the body's cost of torque; -100 in its place,
    and the end, when the hull touches anything or x < 0. The end is also reached at x > 88.667 m.
    Solved above 230. A task beyond the task space is played as the nearest one within.

    With `sizes` a task is the track's followed by a factor for each size named. Such walkers begin
    at rest in `STANCE`, where those without begin as Box2D's do, and pay the same for a motor at
    full torque, whatever the torque.

    Raises:
      ValueError: when there is no such body, size or contact flag, bounds of a size are not factors
        from 0.01 to 10 or the wrong way round, a walker cannot begin on the start pad (`fits`), or
        a task or an action has another shape.
    """
    body, sizes = get_body(body), _checked(sizes)
    if track.contact_flag not in ("true", "box2d"):
        raise ValueError(f"contact_flag must be 'true' or 'box2d', got {track.contact_flag!r}.")
    largest = check_fits(body, sizes)
    fixed = jax.tree.map(lambda x: x[..., None], largest)
    space = track.task_space
    if sizes:
        lows, highs = zip(*sizes.values())
        space = Box(
            names=[*space.names, *sizes],
            low=[*space.low, *lows],
            high=[*space.high, *highs],
            units=[*space.units, *[""] * len(sizes)],
            log=[*space.log, *[False] * len(sizes)],
        )

    def generate(key: Key, task: jax.Array) -> Level:
        task = space.clip(_of_shape(f"A task of {track.name}", task, space))
        key_scenery, key_push = jax.random.split(key)
        ground, obstacles = track.scenery(key_scenery, task[: track.task_space.dims])
        factors = dict(zip(sizes, task[track.task_space.dims :]))
        return Level(
            push=jax.random.uniform(key_push, (), minval=-MAX_PUSH, maxval=MAX_PUSH),
            ground=ground,
            obstacles=obstacles,
            first=None if obstacles is None else index_obstacles(obstacles),
            walker=anatomy(body, factors, largest.span) if sizes else None,
            density=track.density,
        )

    step = trailing_batch(
        lambda level, state, action: _step(
            fixed if level.walker is None else level.walker, level, state, action
        )
    )
    reset = trailing_batch(
        lambda level: _reset(
            fixed if level.walker is None else level.walker, level, track.contact_flag
        )
    )
    joints = [f"{joint}_{leg}" for leg in range(body.num_legs) for joint in ("hip", "knee")]
    actions = Box(names=joints, low=[-1] * body.num_joints, high=[1] * body.num_joints)
    return Environment(
        name=track.name,
        task_space=space,
        action_space=actions,
        batch_axis=-1,
        viewer=WalkerViewer(body),
        return_range=(-150.0, 350.0),
        max_episode_steps=track.max_episode_steps,
        solved_above=230.0,
        generate=generate,
        reset=lambda key, level: reset(level),
        step=lambda key, level, state, action: step(
            level, state, _of_shape(f"An action on {track.name}", action, actions)
        ),
    )


def _checked(sizes: Sizes | None) -> dict[str, tuple[float, float]]:
    if not isinstance(sizes, Mapping | None):
        raise ValueError(
            f"sizes must be a mapping from names to factors (low, high), got {sizes!r}."
        )
    for name, bounds in (sizes or {}).items():
        if name not in SIZES:
            raise ValueError(f"sizes must be among {', '.join(SIZES)}, got {name!r}.")
        if not (are_numbers(bounds, *FACTOR) and len(bounds) == 2 and bounds[0] <= bounds[1]):
            raise ValueError(
                f"sizes of {name} must be factors (low, high), {FACTOR[0]:g} <= low <= high <="
                f" {FACTOR[1]:g}, got {bounds!r}."
            )
    return dict(sizes or {})


def _of_shape(what: str, values: jax.Array, space: Box) -> jax.Array:
    values = jnp.asarray(values, jnp.float32)
    if values.shape != (space.dims,):
        raise ValueError(
            f"{what} must be {space.dims} numbers ({', '.join(space.names)}), got shape"
            f" {values.shape}."
        )
    return values


def potential(walker: Anatomy, hull_pose: jax.Array) -> jax.Array:
    """130/30 x - 5 |hull angle|, whose difference over a step is the reward before torque, [N]."""
    return 130 / 30 * hull_origin(walker, hull_pose)[0] - 5 * jnp.abs(hull_pose[2])


def observe(walker: Anatomy, window: Window, state: WalkerState, touched: jax.Array) -> jax.Array:
    """What the walker senses, [4 + 5 legs + 10, N].

    Hull angle, 2/50 of its rate, vx and vy of its centre of mass (times 0.12 and 0.08); for each
    leg hip angle, hip rate / 4, knee angle + 1, knee rate / 6, contact of the lower link; ten
    fractions of the lidar.
    """
    scale = np.array([*(0.3 * TIME_STEP * np.array(VIEWPORT)), 2 * TIME_STEP], np.float32)
    vx, vy, rate = state.hull_velocity * scale[:, None]
    turning = state.link_velocity[2]
    hip_rate, knee_rate = turning[0] - state.hull_velocity[2:], turning[1] - turning[0]
    hip_speed, knee_speed = walker.body.motor_speeds
    legs = [
        state.joints[0],
        hip_rate / hip_speed,
        state.joints[1] + 1.0,
        knee_rate / knee_speed,
        touched.astype(jnp.float32),
    ]
    per_leg = jnp.stack(legs, axis=1).reshape(5 * walker.body.num_legs, -1)
    seen = lidar(window, hull_origin(walker, state.hull_pose))
    return jnp.concatenate([jnp.stack([state.hull_pose[2], rate, vx, vy]), per_leg, seen])


def _step(
    walker: Anatomy, level: Level, state: WalkerState, action: jax.Array
) -> tuple[WalkerState, TimeStep]:
    window = surroundings(walker, level, state.hull_pose)
    one_function = not isinstance(level.obstacles, Polygons)
    if walker is level.walker:
        return in_blocks(_step_block, BLOCK, one_function)(walker, window, state, action)
    return in_blocks(functools.partial(_step_block, walker), BLOCK, one_function)(
        window, state, action
    )


def surroundings(walker: Anatomy, level: Level, hull_pose: jax.Array) -> Window:
    """What the links, the hull and the rays can reach during a step."""
    behind = walker.span.reach + SLACK
    ahead = max(behind, RANGE + walker.span.hull + SLACK)
    return look_around(level, hull_pose[0] - behind, behind + ahead)


def _step_block(
    walker: Anatomy, window: Window, state: WalkerState, action: jax.Array
) -> tuple[WalkerState, TimeStep]:
    new, touched = advance(walker, window, state, action)
    if state.flags is not None:
        new = new.replace(flags=hear(walker, window, state, state.flags, touched))
        touched = new.flags.flag > 0
    x = hull_origin(walker, new.hull_pose)[0]
    fallen = hull_touches(walker, window, new.hull_pose) | (x < 0)
    torque = walker.body.torque_cost * fold(jnp.add, jnp.minimum(jnp.abs(action), 1.0))
    reward = jnp.where(
        fallen,
        FALL_REWARD,
        potential(walker, new.hull_pose) - potential(walker, state.hull_pose) - torque,
    )
    return new, TimeStep(
        obs=observe(walker, window, new, touched),
        reward=reward,
        terminated=fallen | (x > FINISH),
        truncated=jnp.zeros_like(fallen),
    )


def _reset(walker: Anatomy, level: Level, contact_flag: str) -> tuple[WalkerState, TimeStep]:
    """The start, with the level's push (a force on the hull for one step) already in the
    velocities.
    """
    measured = (level.ground is not None and walker.body.start_on_pieces) or walker.body.start
    state = (
        measured_start(measured, level)
        if measured and level.walker is None
        else standing_start(walker, level)
    )
    touched = (
        _batch(measured.touched, level) > 0
        if measured and level.walker is None
        else _feet_touch(walker, state)
    )
    mass = mass_matrix(
        walker,
        posture(walker, state.hull_pose[2], link_angles(walker, state.hull_pose[2], state.joints)),
    )
    still = jnp.zeros_like(level.push)
    kick = jnp.stack([level.push * TIME_STEP / walker.hull_mass, still, still])
    pushed = project(walker, mass, kick, jnp.zeros_like(state.link_velocity))
    state = state.replace(
        hull_velocity=state.hull_velocity + pushed.hull,
        link_velocity=state.link_velocity + body_velocities(mass, pushed),
        flags=(
            no_contact(walker.body.num_legs, level.push.shape[-1])
            if contact_flag == "box2d"
            else None
        ),
    )
    time_step = TimeStep(
        obs=observe(walker, surroundings(walker, level, state.hull_pose), state, touched),
        reward=still,
        terminated=jnp.zeros_like(still, bool),
        truncated=jnp.zeros_like(still, bool),
    )
    return state, time_step


def _feet_touch(walker: Anatomy, state: WalkerState) -> jax.Array:
    """Whether each lower link is within the skin of flat ground, [legs, N] bool."""
    shape = posture(
        walker, state.hull_pose[2], link_angles(walker, state.hull_pose[2], state.joints)
    )
    corners = link_corners(walker, link_tops(walker, state.hull_pose, shape), shape.axis)
    return corners[1, :, 1].min(0) < GROUND + SKIN


def measured_start(start: Start, level: Level) -> WalkerState:
    """Where Box2D holds a published body after its first two steps."""
    legs, velocity = len(start.joints[0]), np.array(start.velocity)
    return WalkerState(
        hull_pose=_batch(np.array(start.pose) + [0, GROUND, 0], level),
        joints=_batch(start.joints, level),
        hull_velocity=_batch(velocity[:, 0], level),
        link_velocity=_batch(velocity[:, 1:].reshape(3, legs, 2).swapaxes(1, 2), level),
        offset=_batch(np.zeros((2, 2, legs)), level),
        impulses=_batch(np.zeros((10, legs)), level),
    )


def standing_start(walker: Anatomy, level: Level) -> WalkerState:
    """At rest in `STANCE`, as far as the joints' limits allow, with the lowest point just above
    flat ground.
    """
    legs = walker.body.num_legs
    stance = np.clip(STANCE, walker.body.joint_lower, walker.body.joint_upper)
    joints = _batch(np.repeat(stance[:, None], legs, axis=1), level)
    pose = _batch([START_X, 0.0, 0.0], level)
    pose = pose.at[0].add(jnp.broadcast_to(walker.centre[0], pose[0].shape))
    shape = posture(walker, pose[2], link_angles(walker, pose[2], joints))
    feet = link_corners(walker, link_tops(walker, pose, shape), shape.axis)[1].min((0, 1, 2))
    lowest = jnp.minimum(feet, hull_corners(walker, pose)[1].min(0))
    return WalkerState(
        hull_pose=pose.at[1].set(GROUND + REST_GAP - lowest),
        joints=joints,
        hull_velocity=_batch(np.zeros(3), level),
        link_velocity=_batch(np.zeros((3, 2, legs)), level),
        offset=_batch(np.zeros((2, 2, legs)), level),
        impulses=_batch(np.zeros((10, legs)), level),
    )


def _batch(values, level: Level) -> jax.Array:
    """`values` for every walker of a batch of levels, [..., N]."""
    values = np.array(values, np.float32)
    return jnp.broadcast_to(values[..., None], (*values.shape, level.push.shape[-1]))
