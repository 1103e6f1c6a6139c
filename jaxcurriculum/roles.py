"""The roles: bundles of pure functions, made by a factory that closes over what is static.

    teacher_state, proposals   = teacher.propose(key, teacher_state, num)
    student_state, episodes    = student.train(key, student_state, proposals, round)
    teacher_state, probe_steps = teacher.update(key, teacher_state, episodes, context)

A student that plays an environment does so with a learner:

    memory, action, extras  = learner.act(key, learner_state, memory, obs, first, deterministic)
    learner_state, critique = learner.learn(key, learner_state, experience)

Nothing here is a base class and nothing is registered. A role of your own is an instance with your
functions in it. All compute in float32: none can be made while `jax_enable_x64` is on. Functions of
an environment are about ONE environment; batching is `jax.vmap` at one visible place (`rollout`).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import jax

from jaxcurriculum.device.switches import check_switches
from jaxcurriculum.records import (
    Critique,
    Episodes,
    Experience,
    Key,
    Proposals,
    PyTree,
    TimeStep,
    strong,
)
from jaxcurriculum.spaces import Space
from jaxcurriculum.viewer import Viewer


@dataclasses.dataclass(frozen=True, kw_only=True)
class Environment:
    """A family of tasks with one transition function; `step` never resets by itself.

    Observations are any pytree of arrays, actions what `action_space` holds. The rollout ends an
    episode after `max_episode_steps` (as a truncation), so `step` need not count. An episode is
    solved when its undiscounted return is above `solved_above` (strictly).

    `batch_axis` is where a batch of states has its batch: 0, or -1 for an engine that works on
    batches in that order. `return_range` is for teachers that scale returns: the command line tells
    them, in Python it is theirs to be told (`AlpGmmConfig(return_range=env.return_range)`).
    """

    name: str
    task_space: Space
    action_space: Space
    max_episode_steps: int
    solved_above: float
    generate: Callable[[Key, PyTree], PyTree]  # (key, task) -> level
    reset: Callable[[Key, PyTree], tuple[PyTree, TimeStep]]  # (key, level) -> (state, time step)
    # (key, level, state, action) -> (state, time step)
    step: Callable[[Key, PyTree, PyTree, PyTree], tuple[PyTree, TimeStep]]
    batch_axis: Literal[0, -1] = 0
    viewer: Viewer | None = None  # draws its episodes; None: there are no films of it
    return_range: tuple[float, float] | None = None  # what returns are usually between
    # (task) -> [], the highest return that any policy can have on it; None: nobody knows
    optimal_return: Callable[[PyTree], jax.Array] | None = None

    def __post_init__(self):
        check_switches("jax_enable_x64")

    def observation_shapes(self) -> PyTree:
        """The shape and dtype of each leaf of one observation; nothing is computed."""

        def observe(key: Key) -> PyTree:
            level = self.generate(key, self.task_space.sample(key))
            return self.reset(key, level)[1].obs

        return jax.eval_shape(observe, jax.random.key(0))


def strong_environment(env: Environment) -> Environment:
    """`env` with fixed dtypes, although its functions may give Python's numbers."""

    def fixed(function):
        return lambda *arguments: strong(function(*arguments))

    functions = {name: fixed(getattr(env, name)) for name in ("generate", "reset", "step")}
    return dataclasses.replace(env, **functions)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Learner:
    """A learning algorithm, whoever collects its experience.

        init(key)                                             -> state
        memory(num)                                           -> memory [num, ...]
        act(key, state, memory, obs, first, deterministic)    -> (memory, action, extras)
        learn(key, state, experience)                         -> (state, critique)
        report(state)                                         -> scalars of the last round

    `memory` is what the policy remembers before an episode, for `num` episodes at once; () where it
    remembers nothing. `act` is given observations [num, ...] and which of them are the `first` of
    an episode, where it forgets by itself; the rollout clips its actions to their space before they
    are played. What it says in `extras` [num, ...] comes back in the `Experience`, with the actions
    as they were before clipping and the `weight` that multiplies each step's gradient. Episodes may
    go on after the last step of a round. `learn` returns what its critic thinks of the steps, None
    where `has_critic` is False.

    One that learns from a replay (`students.off_policy`) makes one gradient step in `learn`, from
    samples [1, batch_size] of steps, old and new, and returns no critique of them. What its critic
    thinks of a round is what `critique(key, state, experience)` says.
    """

    name: str
    init: Callable[[Key], PyTree]  # (key) -> state
    memory: Callable[[int], PyTree]  # (num) -> memory [num, ...]
    # (key, state, memory, obs [num, ...], first [num], deterministic) -> (memory, action, extras)
    act: Callable[[Key, PyTree, PyTree, PyTree, jax.Array, bool], tuple[PyTree, PyTree, PyTree]]
    # (key, state, experience) -> (state, critique: None without a critic)
    learn: Callable[[Key, PyTree, Experience], tuple[PyTree, Critique | None]]
    report: Callable[[PyTree], dict[str, jax.Array]]  # (state) -> scalars of the last round
    has_critic: bool = True
    # (key, state, experience) -> critique, of one that learns from a replay
    critique: Callable[[Key, PyTree, Experience], Critique] | None = None
    config: Any = None  # what it was made from; a run writes it down

    def __post_init__(self):
        check_switches("jax_enable_x64")


# (key, tasks, seeds, num_episodes, deterministic)
Probe = Callable[[Key, PyTree, jax.Array, int, bool], Episodes]


@dataclasses.dataclass(frozen=True)
class Context:
    """What a teacher may know beside the episodes.

    `round` and `num_steps` are not mapped over seeds: a `lax.cond` on them is a true branch even
    under `vmap`. `probe` evaluates the student as it is now; report the environment steps that it
    spends as `probe_steps`.
    """

    round: jax.Array  # [], int32: rounds finished before this one
    num_steps: jax.Array  # [], int32: steps (or episodes) a seed has trained, with this round's
    probe: Probe
    # (task) -> [], of the environment that the student plays; None where it is not known
    optimal_return: Callable[[PyTree], jax.Array] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Teacher:
    """Chooses tasks.

    `report(state)` is a small pytree for plots, stored at every evaluation. One that
    `needs_critic` reads the critic's scores of episodes, and one that `needs_optimal_return` that
    of its context: a loop refuses them a student without any, and one whose rounds have more than
    `most_proposals`.
    One that compares several learners (`num_learners`) gets a `students.population` of so many,
    who share all proposals, or each have a block of them (`share`). One that `needs_every_level`
    judges a level by the episodes of its own round, and gets a student that `meets_every_level`.
    """

    name: str
    init: Callable[[Key], PyTree]  # (key) -> state
    # (key, state, num) -> (state, proposals)
    propose: Callable[[Key, PyTree, int], tuple[PyTree, Proposals]]
    # (key, state, episodes, context) -> (state, probe_steps [] int32)
    update: Callable[[Key, PyTree, Episodes, Context], tuple[PyTree, jax.Array]]
    report: Callable[[PyTree], Any]  # (state) -> small pytree
    needs_critic: bool = False
    needs_optimal_return: bool = False
    most_proposals: float = math.inf  # of a round
    num_learners: int = 1
    share: bool = True
    needs_every_level: bool = False
    config: Any = None  # what it was made from; a run writes it down

    def __post_init__(self):
        check_switches("jax_enable_x64")


Policy = Callable[[Key, PyTree, PyTree, PyTree, jax.Array, bool], tuple[PyTree, PyTree]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Student:
    """Practises tasks: a simulated learner without any environment, or PPO on a walker.

    A round takes `num_proposals` proposals and spends `steps_per_round` of `step_unit`
    ("environment steps" or "episodes"). `train` is told how many rounds came before it, a number
    that is not mapped over seeds, as in `Context`. `act` is the policy for `num` episodes at once,
    None where there is no environment.
    """

    name: str
    task_space: Space
    num_proposals: int
    steps_per_round: int
    step_unit: str
    init: Callable[[Key], PyTree]  # (key) -> state
    # (key, state, proposals, round [] int32) -> (state, episodes)
    train: Callable[[Key, PyTree, Proposals, jax.Array], tuple[PyTree, Episodes]]
    # (key, state, tasks, seeds, num_episodes, deterministic)
    evaluate: Callable[[Key, PyTree, PyTree, jax.Array, int, bool], Episodes]
    report: Callable[[PyTree], dict[str, jax.Array]]  # (state) -> scalars of the last round
    memory: Callable[[int], PyTree] | None = None  # (num) -> what the policy remembers at first
    # (key, state, memory, obs [num, ...], first [num], deterministic) -> (memory, action)
    act: Policy | None = None
    # (state) -> what `act` takes of it: all, or of several learners the one that is shown
    acting: Callable[[PyTree], PyTree] = lambda state: state
    environment: Environment | None = None  # that is played; None for a simulated learner
    return_range: tuple[float, float] | None = None  # what returns are usually between
    num_learners: int = 1  # more in a population
    share: bool = True  # all of them practise every proposal; else each has a block of its own
    meets_every_level: bool = True  # in a round, from its beginning
    # (low, high) of what lies in `state.learner.settings`, by name; None: any number
    setting_bounds: Mapping[str, tuple[float | None, float | None]] = dataclasses.field(
        default_factory=dict
    )
    config: Any = None  # what it was made from; a run writes it down

    def __post_init__(self):
        check_switches("jax_enable_x64")

    @property
    def optimal_return(self) -> Callable[[PyTree], jax.Array] | None:
        """That of its environment; None where there is none, or it is not known."""
        return None if self.environment is None else self.environment.optimal_return
