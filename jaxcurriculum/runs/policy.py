"""The policy that a run has learned, as a pure function for programs of one's own.

policy = runs.load_policy("runs/demo", seed=0)
action = policy(obs)
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import struct
from jax.interpreters import partial_eval

from jaxcurriculum import tree
from jaxcurriculum.loop import Loop
from jaxcurriculum.records import Key, PyTree
from jaxcurriculum.roles import Environment, Student
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.experiment import seed_index
from jaxcurriculum.runs.policy_file import run_or_policy, student_state
from jaxcurriculum.runs.rebuilding import rebuilt
from jaxcurriculum.runs.store import Run


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """Where a policy comes from, and how it is computed."""

    run: Run
    seed: int
    student: str
    environment: Environment
    obs_shapes: PyTree  # of one observation
    # (weights, key, memory, obs, first, deterministic) -> (memory, action), of one episode
    act: Callable[..., tuple[PyTree, PyTree]]


class Policy(struct.PyTreeNode):
    """What a student does, about one observation; `jax.vmap` makes it one of a batch.

        action         = policy(obs)                      where it has no memory
        memory, action = policy.act(memory, obs, first)   every policy

    It is a pytree: an argument of a compiled function, or what a gradient is taken of. Actions lie
    in their space.
    """

    weights: dict[str, jax.Array]  # all that it reads of the student's state, by path
    initial_memory: PyTree  # before an episode; () where nothing is remembered
    source: Source = struct.field(pytree_node=False)

    def __call__(self, obs: PyTree) -> PyTree:
        """The action after `obs`.

        Raises:
          TypeError: when the policy has a memory.
          ValueError: when it is no observation of the environment.
        """
        if jax.tree.leaves(self.initial_memory):
            raise TypeError("This policy has a memory: call policy.act(memory, obs, first).")
        return self.act((), obs, True)[1]

    def act(
        self, memory: PyTree, obs: PyTree, first: bool | jax.Array, key: Key | None = None
    ) -> tuple[PyTree, PyTree]:
        """The memory after `obs` and the action; the best one, or with a `key` a sampled one.

        Args:
          memory: `initial_memory`, or what the last step of the episode returned.
          first: whether an episode begins, before which everything is forgotten.

        Raises:
          ValueError: when `obs` is no observation of the environment.
        """
        obs = checked_obs(self.source, obs)
        given = (jax.random.key(0) if key is None else key, memory, obs, jnp.asarray(first, bool))
        return self.source.act(self.weights, *given, key is None)


def load_policy(
    run: Run | str | pathlib.Path, seed: int | None = None, loop: Loop | None = None
) -> Policy:
    """The policy that `seed` of `run` (by default the first) had at the last checkpoint.

    Args:
      run: the run, its folder, or a policy file.
      loop: as it was trained, for a run of `runs.train`; the roles of a run from the command line
          are made again from its settings.

    Raises:
      RunError: when there is no such run, seed or checkpoint, when `loop` is missing or another
          one, and when the student is simulated.
    """
    run = run_or_policy(run)
    experiment = rebuilt(run, loop)
    student, index = experiment.loop.student, seed_index(experiment, seed)
    if student.act is None or student.memory is None or student.environment is None:
        simulated = f"{student.name} is a simulated student without an environment"
        raise RunError(f"{run.path} has no policy: {simulated}.")
    seed = experiment.first_seed + index
    return policy_of(student, student_state(experiment, run, index), run, seed)


def policy_of(student: Student, state: PyTree, run: Run, seed: int) -> Policy:
    """The policy of a student that plays an environment, of what it acts by in `seed` of `run`."""
    env, memory = student.environment, student.memory
    assert env is not None and memory is not None
    shapes = env.observation_shapes()
    weights, act = pruned(student, state, shapes)
    source = Source(run, seed, student.name, env, shapes, act)
    return Policy(weights=weights, initial_memory=tree.take(memory(1), 0), source=source)


def pruned(
    student: Student, state: PyTree, obs_shapes: PyTree
) -> tuple[dict[str, jax.Array], Callable]:
    """What the policy reads of what a student acts by, by path, and the policy of one episode as a
    function of it: (weights, key, memory, obs, first, deterministic) -> (memory, action).

    Optimiser, critic and the episodes under way are left behind.
    """
    act_of_many, memory = student.act, student.memory
    assert act_of_many is not None and memory is not None
    paths, structure = jax.tree.flatten_with_path(state)
    names = [jax.tree_util.keystr(path, simple=True, separator=".") for path, _ in paths]
    everything = dict(zip(names, jax.tree.leaves(state)))
    shapes = {name: jax.typeof(leaf) for name, leaf in everything.items()}

    def act(weights, key, memory, obs, first, deterministic):
        leaves = [weights[name] if name in weights else tree.blank(shapes[name]) for name in names]
        state = jax.tree.unflatten(structure, leaves)
        memory, obs, first = jax.tree.map(lambda leaf: leaf[None], (memory, obs, first))
        return tree.take(act_of_many(key, state, memory, obs, first, deterministic), 0)

    def in_both_ways(weights):
        key, obs, first = jax.random.key(0), tree.blank(obs_shapes), jnp.bool_(True)
        before = tree.take(memory(1), 0)
        return [act(weights, key, before, obs, first, best) for best in (True, False)]

    is_read = dict(zip(sorted(names), _reads(in_both_ways, shapes)))
    weights = {name: leaf for name, leaf in everything.items() if is_read[name]}
    return weights, jax.jit(act, static_argnums=5)


def _reads(function: Callable[[PyTree], PyTree], shapes: PyTree) -> list[bool]:
    """Whether `function` uses each leaf of its argument."""
    traced = jax.make_jaxpr(function)(shapes).jaxpr
    return partial_eval.dce_jaxpr(traced, [True] * len(traced.outvars))[1]


def checked_obs(source: Source, obs: PyTree) -> PyTree:
    """`obs` as arrays.

    Raises:
      ValueError: when it has other leaves or shapes than the environment's observations.
    """
    obs = jax.tree.map(jnp.asarray, obs)
    if (ours := _layout(obs)) != (needed := _layout(source.obs_shapes)):
        batches = "; of a batch, map over it with jax.vmap(policy)"
        raise ValueError(
            f"An observation of {source.environment.name} is {needed}, got {ours}{batches}."
        )
    return obs


def _layout(obs: PyTree) -> PyTree:
    return jax.tree.map(lambda leaf: list(leaf.shape), obs)
