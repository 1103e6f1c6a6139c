"""Track environments: a walker, a track, the published observation and reward."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.envs.walker.batching import in_blocks, trailing_batch
from jaxcurriculum.envs.walker.bodies import Body, get_body
from jaxcurriculum.envs.walker.contact import hull_touches
from jaxcurriculum.envs.walker.dynamics import TIME_STEP, advance
from jaxcurriculum.envs.walker.kinematics import WalkerState, hull_origin, link_angles, posture
from jaxcurriculum.envs.walker.lidar import RANGE, lidar
from jaxcurriculum.envs.walker.mass import body_velocities, mass_matrix, project
from jaxcurriculum.envs.walker.terrain import FINISH, GROUND, Level, Window, look_around, stump_level
from jaxcurriculum.roles import Environment
from jaxcurriculum.space import Box
from jaxcurriculum.types import TimeStep

VIEWPORT = (20.0, 400 / 30)  # m: width and height of the published picture, which scale the observed velocity
FALL_REWARD = -100.0
BLOCK = 128  # walkers whose numbers fit the cache together


def stump_tracks(
    body: str = "default",
    min_stump_height: float = 0.0,
    max_stump_height: float = 3.0,
    min_obstacle_spacing: float = 0.0,
    max_obstacle_spacing: float = 6.0,
) -> Environment:
    """Stump Tracks: flat ground with stumps of one mean height at one spacing, to be crossed by a bipedal walker.

    Task (stump_height [steps of 14/30 m], obstacle_spacing [m]); action: the four motors (hip, knee, hip, knee) in [-1, 1]; 24
    observations (`observe`). Reward: 130/30 a metre forward, -5 a radian of hull angle, -0.028 a motor at full torque; -100 in its
    place, and the end, when the hull touches anything or x < 0. The end is also reached at x > 88.667 m. Solved above 230.

    Args:
      body: "default" or "short" (legs half as long).
      min_stump_height, max_stump_height, min_obstacle_spacing, max_obstacle_spacing: bounds of the task space.

    Raises:
      ValueError: when there is no such body, or bounds are not finite, negative or the wrong way round.

    Source: Portelas et al. 2019, "Teacher algorithms for curriculum learning of Deep RL in continuously parameterized environments".
    Differs from the paper: contact flags are true contact (there a flag may flicker off), and the first observation is the one after
    two steps of zero action, as Box2D's first poses are not joined.

    >>> env = stump_tracks()
    >>> level = env.generate(jax.random.key(0), jnp.array([1.0, 3.0]))
    >>> state, time_step = env.reset(jax.random.key(1), level)
    >>> state, time_step = env.step(jax.random.key(2), level, state, jnp.array([1.0, 0.0, -1.0, 0.0]))
    >>> time_step.obs.shape, bool(time_step.terminated)
    ((24,), False)
    """
    walker = get_body(body)
    low, high = (min_stump_height, min_obstacle_spacing), (max_stump_height, max_obstacle_spacing)
    task_space = Box(names=("stump_height", "obstacle_spacing"), low=low, high=high, units=("steps", "m"))
    if min(low) < 0:
        raise ValueError(f"bounds of stump_tracks must not be negative, got low={low}.")
    step = trailing_batch(lambda level, state, action: _step(walker, level, state, action))
    reset = trailing_batch(lambda level: _reset(walker, level))
    return Environment(
        name="stump-tracks",
        task_space=task_space,
        action_space=Box(
            names=[f"{joint}_{leg}" for leg in range(walker.num_legs) for joint in ("hip", "knee")], low=[-1] * 4, high=[1] * 4
        ),
        obs_dim=14 + 10,
        max_episode_steps=2000,
        solved_above=230.0,
        generate=stump_level,
        reset=lambda key, level: reset(level),
        step=lambda key, level, state, action: step(level, state, action),
    )


def potential(body: Body, hull_pose: jax.Array) -> jax.Array:
    """130/30 x - 5 |hull angle|, whose difference over a step is the reward before torque, [N]."""
    return 130 / 30 * hull_origin(body, hull_pose)[0] - 5 * jnp.abs(hull_pose[2])


def observe(body: Body, window: Window, state: WalkerState, touched: jax.Array) -> jax.Array:
    """What the walker senses, [24, N].

    Hull angle, 2/50 of its rate, vx and vy of its centre of mass (times 0.12 and 0.08); for each leg hip angle, hip rate / 4, knee
    angle + 1, knee rate / 6, contact of the lower link; ten fractions of the lidar.
    """
    scale = np.array([*(0.3 * TIME_STEP * np.array(VIEWPORT)), 2 * TIME_STEP], np.float32)
    vx, vy, rate = state.hull_velocity * scale[:, None]
    turning = state.link_velocity[2]
    hip_rate, knee_rate = turning[0] - state.hull_velocity[2:], turning[1] - turning[0]
    hip_speed, knee_speed = body.motor_speed
    legs = [state.joints[0], hip_rate / hip_speed, state.joints[1] + 1.0, knee_rate / knee_speed, touched.astype(jnp.float32)]
    per_leg = jnp.stack(legs, axis=1).reshape(5 * body.num_legs, -1)
    return jnp.concatenate([jnp.stack([state.hull_pose[2], rate, vx, vy]), per_leg, lidar(window, hull_origin(body, state.hull_pose))])


def _step(body: Body, level: Level, state: WalkerState, action: jax.Array) -> tuple[WalkerState, TimeStep]:
    window = _window(body, level, state.hull_pose)
    return in_blocks(functools.partial(_step_block, body), BLOCK)(window, state, action)


def _window(body: Body, level: Level, hull_pose: jax.Array) -> Window:
    """What the links, the hull and the rays can reach during a step."""
    behind = 2 * body.link_length + 0.5  # m
    return look_around(level, hull_pose[0] - behind, behind + RANGE + 0.5)


def _step_block(body: Body, window: Window, state: WalkerState, action: jax.Array) -> tuple[WalkerState, TimeStep]:
    new, touched = advance(body, window, state, action)
    x = hull_origin(body, new.hull_pose)[0]
    fallen = hull_touches(body, window, new.hull_pose) | (x < 0)
    torque = body.torque_cost * jnp.minimum(jnp.abs(action), 1.0).sum(0)
    reward = jnp.where(fallen, FALL_REWARD, potential(body, new.hull_pose) - potential(body, state.hull_pose) - torque)
    return new, TimeStep(
        obs=observe(body, window, new, touched),
        reward=reward,
        terminated=fallen | (x > FINISH),
        truncated=jnp.zeros_like(fallen),
    )


def _reset(body: Body, level: Level) -> tuple[WalkerState, TimeStep]:
    """The start, with the level's push (a force on the hull for one step) already in the velocities."""
    num = level.push.shape[-1]

    def batch(values):
        values = np.array(values, np.float32)
        return jnp.broadcast_to(values[..., None], (*values.shape, num))

    pose = batch(np.array(body.start_pose) + [0, GROUND, 0])
    joints, velocity = batch(body.start_joints), np.array(body.start_velocity)
    links = batch(velocity[:, 1:].reshape(3, body.num_legs, 2).swapaxes(1, 2))
    mass = mass_matrix(body, posture(body, pose[2], link_angles(body, pose[2], joints)))
    still = jnp.zeros_like(level.push)
    pushed = project(body, mass, jnp.stack([level.push * TIME_STEP / body.hull_mass[0], still, still]), jnp.zeros_like(links))
    state = WalkerState(
        hull_pose=pose,
        joints=joints,
        hull_velocity=batch(velocity[:, 0]) + pushed.hull,
        link_velocity=links + body_velocities(mass, pushed),
        impulses=batch(np.zeros((10, body.num_legs))),
    )
    nothing = jnp.zeros_like(joints[0], bool)
    time_step = TimeStep(
        obs=observe(body, _window(body, level, pose), state, nothing),
        reward=jnp.zeros((num,)),
        terminated=jnp.zeros((num,), bool),
        truncated=jnp.zeros((num,), bool),
    )
    return state, time_step
