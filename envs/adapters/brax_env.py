"""Robots of brax, whose physics is the task.

An axis of a task multiplies what brax has published, so 1 is the robot as it is known:

    gravity     of the world
    friction    of every contact
    mass        of every link, its inertia with it
    gear        force of every motor
    damping     of every joint

brax keeps its system as a constant of the environment. Here reset and step are traced with the
leaves of a task in its place, so that thousands of different robots run in one program, and none of
brax's wrappers is used: every episode begins anew, on its own task. How soft contacts are stays as
it follows from the published masses.

Not every backend feels every axis: `spring` and `positional` have no damping of joints, and take
the masses of ant and hopper as 1; nothing falls or touches in the plane of reacher. Such an axis is
refused. `generalized` feels all that there is, `spring` is the fastest on a CPU.

Source: C. D. Freeman et al., "Brax - A Differentiable Physics Engine for Large Scale Rigid Body
Simulation", 2021, arXiv:2106.13281.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.envs.adapters.brax_viewer import BraxViewer
from jaxcurriculum.envs.adapters.packages import (
    check_bounds,
    check_solved_above,
    imported,
    like,
    with_promotion,
    with_task,
)
from jaxcurriculum.fields import check_flags, is_integer
from jaxcurriculum.records import Key, PyTree, TimeStep
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Box

Bounds = Mapping[str, tuple[float, float]]
Backend = Literal["generalized", "spring", "positional", "mjx"]
BACKENDS = ("generalized", "spring", "positional", "mjx")
# Bounds by default; equal ratios are equal distances.
AXES: Bounds = {
    "gravity": (0.5, 2.0),
    "friction": (0.2, 2.0),
    "mass": (0.5, 2.0),
    "gear": (0.5, 2.0),
    "damping": (0.5, 2.0),
}
LEAVES = {  # of brax's system, that an axis multiplies
    "gravity": ("gravity",),
    "friction": ("geom_friction",),
    "mass": ("link.inertia.mass", "link.inertia.i"),
    "gear": ("actuator.gear",),
    "damping": ("dof.damping",),
}
LEAVES_OF_MJX = {
    "gravity": ("opt.gravity",),
    "friction": ("geom_friction",),
    "mass": ("body_mass", "body_inertia", "body_subtreemass"),
    "gear": ("actuator_gear",),
    "damping": ("dof_damping",),
}
OF_UNIT_MASS = ("ant", "hopper")  # their spring_mass_scale is 1
# From which return on a robot has mastered its task (gymnasium's, where it has one), and what
# returns are usually between.
RETURNS = {
    "ant": (6000.0, (-500.0, 6000.0)),
    "halfcheetah": (4800.0, (-500.0, 5000.0)),
    "hopper": (3800.0, (0.0, 4000.0)),
    "humanoid": (6000.0, (0.0, 7000.0)),
    "reacher": (-50.0, (-1000.0, 0.0)),
    "walker2d": (3800.0, (0.0, 4000.0)),
}


def brax(
    name: str = "ant",
    axes: Bounds | None = None,
    *,
    backend: Backend = "generalized",
    observe_task: bool = True,
    max_episode_steps: int = 1000,
    solved_above: float | None = None,
) -> Environment:
    """The robot `name` of brax: ant, halfcheetah, hopper, humanoid, reacher or walker2d.

    Reward, end and observation are brax's.

    Args:
      axes: (low, high) of the factors that a task chooses, by name; by default all that `backend`
        feels, 0.5 to 2 (friction: 0.2 to 2). The others stay 1.
      backend: brax's engine.
      observe_task: the task, in the unit cube, is part of the observation.
      max_episode_steps: when an episode is cut.
      solved_above: the return from which on an episode is solved, by default that of
        `RETURNS`.

    Raises:
      ImportError: when brax is not installed.
      ValueError: when there is no such robot, backend or axis, when bounds are not two positive
        numbers or an option is not of its kind, or when the robot does not feel an axis with this
        backend (the sentence says why).

    >>> env = brax("reacher", {"gear": (0.5, 2.0)}, backend="spring")
    >>> env.task_space.names, env.action_space.dims
    (('gear',), 2)
    """
    if not is_integer(max_episode_steps, 1):
        raise ValueError(
            f"max_episode_steps must be a positive integer, got {max_episode_steps!r}."
        )
    check_flags(observe_task=observe_task)
    check_solved_above(solved_above)
    felt = axes_of(name, backend)
    axes = {axis: AXES[axis] for axis in felt} if axes is None else axes
    check_bounds(axes, low=1e-3)
    check_axes(name, backend, axes)
    robot = _made(name, backend)
    space = Box(
        names=tuple(axes),
        low=[low for low, _ in axes.values()],
        high=[high for _, high in axes.values()],
        log=[True] * len(axes),
    )
    start, advance = functions_of(robot, space)
    key = jax.eval_shape(lambda: jax.random.key(0))
    state_like, _ = jax.eval_shape(start, key, jax.ShapeDtypeStruct((space.dims,), jnp.float32))

    def generate(key: Key, task: jax.Array) -> jax.Array:
        return space.clip(task)

    def shown(obs: jax.Array, level: jax.Array) -> jax.Array:
        return with_task(obs, space, level) if observe_task else obs

    def reset(key: Key, level: jax.Array) -> tuple[PyTree, TimeStep]:
        state, obs = start(key, level)
        no = jnp.bool_(False)
        return state, TimeStep(shown(obs, level), jnp.float32(0), no, no)

    def step(key: Key, level: jax.Array, state: PyTree, action: jax.Array):
        after = advance(level, state, action)
        timestep = TimeStep(shown(after.obs, level), after.reward, after.done > 0, jnp.bool_(False))
        return like(state_like, after.pipeline_state), timestep

    most, return_range = RETURNS[name]
    return Environment(
        name=f"brax-{name}",
        task_space=space,
        action_space=_action_space(robot),
        max_episode_steps=max_episode_steps,
        solved_above=most if solved_above is None else solved_above,
        generate=generate,
        reset=reset,
        step=step,
        return_range=return_range,
        viewer=BraxViewer.of(robot, space.names, from_above=name == "reacher"),
    )


def functions_of(robot: Any, space: Box) -> tuple[Any, Any]:
    """brax's reset, (key, level) -> (state, obs), and step, (level, state, action) -> brax's own.

    Of brax's state only that of the physics is kept: the rest is what a step makes.
    """
    base = imported("brax.envs.base", "brax")

    def robot_of(level: jax.Array) -> Any:
        changed = copy.copy(robot)
        leaves = {}
        for axis, factor in zip(space.names, level):
            for path in leaves_of(robot, axis):
                leaves[path] = factor * _leaf(robot.sys, path)
        changed.sys = robot.sys.tree_replace(leaves)
        return changed

    @with_promotion
    def start(key: Key, level: jax.Array) -> tuple[PyTree, jax.Array]:
        state = robot_of(level).reset(key)
        return state.pipeline_state, state.obs

    @with_promotion
    def advance(level: jax.Array, state: PyTree, action: jax.Array) -> Any:
        nothing = jnp.float32(0)
        return robot_of(level).step(base.State(state, nothing, nothing, nothing), action)

    return start, advance


def leaves_of(robot: Any, axis: str) -> tuple[str, ...]:
    """The leaves of a robot's system that `axis` multiplies."""
    return (LEAVES_OF_MJX if robot.backend == "mjx" else LEAVES)[axis]


def axes_of(name: str, backend: str) -> tuple[str, ...]:
    """The axes that a robot feels with a backend.

    Raises:
      ValueError: when there is no such robot or backend.

    >>> axes_of("hopper", "spring")
    ('gravity', 'friction', 'gear')
    """
    if not isinstance(name, str) or name not in RETURNS:
        raise ValueError(f"There is no robot {name!r}; there are {', '.join(RETURNS)}.")
    if backend not in BACKENDS:
        raise ValueError(f"backend must be one of {', '.join(BACKENDS)}, got {backend!r}.")
    return tuple(axis for axis in AXES if not _why_not(name, backend, axis))


def check_axes(name: str, backend: str, axes: Iterable[str]) -> None:
    """Check that a robot feels each of `axes` with a backend.

    Raises:
      ValueError: naming the first that it does not feel, why, and those that it does.
    """
    felt = axes_of(name, backend)
    for axis in axes:
        if axis not in AXES:
            raise ValueError(f"axes must be of {', '.join(AXES)}, got {axis!r}.")
        if axis not in felt:
            raise ValueError(
                f"The axis {axis!r} of {name} cannot vary with the backend {backend!r}:"
                f" {_why_not(name, backend, axis)}. These can: {', '.join(felt)}."
            )


def _why_not(name: str, backend: str, axis: str) -> str:
    """Why `axis` cannot vary for a robot with a backend; "" where it can.

    `experiments/adapted_axes.py` measures what a robot feels.
    """
    is_soft = backend in ("spring", "positional")
    if name == "reacher" and axis in ("gravity", "friction"):
        return "its arm moves in a horizontal plane and touches nothing"
    if is_soft and axis == "damping":
        return "this backend has no damping of single joints"
    if (backend, name, axis) == ("spring", "reacher", "mass"):
        return "the springs of its joints become unstable where it is lighter"
    if is_soft and axis == "mass" and name in OF_UNIT_MASS:
        return "this backend takes every mass of this robot as 1 (its spring_mass_scale is 1)"
    return ""


def _leaf(sys: Any, path: str) -> Any:
    for name in path.split("."):
        sys = getattr(sys, name)
    return sys


def _made(name: str, backend: str) -> Any:
    """brax's robot; that brax is no longer maintained is not said every time."""
    package = imported("brax.envs", "brax")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Brax System", UserWarning)
        return package.get_environment(name, backend=backend)


def _action_space(robot: Any) -> Box:
    model = robot.sys.mj_model
    names = [model.actuator(index).name or f"motor_{index}" for index in range(model.nu)]
    if len(set(names)) < len(names):
        names = [f"motor_{index}" for index in range(model.nu)]
    ones = np.ones(model.nu)
    return Box(names=names, low=(-ones).tolist(), high=ones.tolist())
