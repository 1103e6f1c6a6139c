"""A learner is traced once, and what does not keep its contract is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxcurriculum.checks import check_same
from jaxcurriculum.records import Critique, Experience, PyTree
from jaxcurriculum.roles import Environment, Learner

KEY = jax.eval_shape(lambda: jax.random.key(0))


def check_learner(env: Environment, learner: Learner, num_envs: int, num_steps: int) -> None:
    """Trace a learner once and compare what goes in with what comes out.

    Raises:
      TypeError: when it is no learner.
      ValueError: when it learns from a replay, when a function changes the shapes of memory or
          state, gives actions that are none of `env`'s, or a critique that is not as `has_critic`
          says.
    """
    what, state, experience = _shapes_of_a_round("on_policy", env, learner, num_envs, num_steps)
    if learner.critique is not None:
        raise ValueError(
            f"{what}: on_policy takes what `learn` says of a round, but this learner has a function"
            " `critique`, as those have that learn from a replay: give it to `off_policy`."
        )
    _check_learn(what, learner, state, experience)
    _check_report(what, jax.eval_shape(learner.report, state))


def check_off_policy_learner(
    env: Environment, learner: Learner, num_envs: int, num_steps: int, batch_size: int
) -> Experience:
    """`check_learner` for one that learns from batches out of a replay; the shapes of a round.

    Raises:
      TypeError: when it is no learner.
      ValueError: as `check_learner`, or when it learns from whole rounds, or the policy has a
          memory.
    """
    what, state, experience = _shapes_of_a_round("off_policy", env, learner, num_envs, num_steps)
    if learner.has_critic and learner.critique is None:
        raise ValueError(
            f"{what}: off_policy asks its critic by a function `critique`, but it is None: give a"
            " learner of whole rounds to `on_policy`; one without a critic says has_critic=False."
        )
    if jax.tree.leaves(experience.memory):
        raise ValueError(f"{what}: a replay holds single steps, so that memory(num) must be ().")

    def as_batch(leaf: Any) -> Any:
        return _array(leaf.dtype, 1, batch_size, *leaf.shape[2:])

    after, critique = _learned(what, learner, state, jax.tree.map(as_batch, experience))
    check_same(f"{what}, state through learn", state, after)
    if critique is not None:
        raise ValueError(f"{what}, learn: must return no critique of a batch from a replay.")
    if learner.critique is not None:
        critique = jax.eval_shape(learner.critique, KEY, state, experience)
    _check_critique(f"{what}, critique", learner, critique, experience)
    _check_report(what, jax.eval_shape(learner.report, state))
    return experience


def _shapes_of_a_round(
    factory: str, env: Environment, learner: Learner, num_envs: int, num_steps: int
) -> tuple[str, PyTree, Experience]:
    """What to call `learner` in an error, and the shapes of its state and of its experience."""
    if not isinstance(learner, Learner):
        kind = type(learner).__name__
        raise TypeError(
            f"{factory}.learner must be a Learner, as its factory returns it, got {kind}."
        )
    what = f"Learner {learner.name!r}"
    state = jax.eval_shape(learner.init, KEY)
    memory = jax.eval_shape(lambda: learner.memory(num_envs))
    _check_leading(f"{what}, memory", memory, num_envs)
    obs = _batch(env.observation_shapes(), num_envs)
    action, extras = _check_act(what, env, learner, state, memory, obs, num_envs)
    experience = Experience(
        obs=_batch(obs, num_steps),
        next_obs=_batch(obs, num_steps),
        action=_batch(action, num_steps),
        extras=_batch(extras, num_steps),
        reward=_array(jnp.float32, num_steps, num_envs),
        terminated=_array(jnp.bool_, num_steps, num_envs),
        truncated=_array(jnp.bool_, num_steps, num_envs),
        first=_array(jnp.bool_, num_steps, num_envs),
        weight=_array(jnp.float32, num_steps, num_envs),
        memory=memory,
    )
    return what, state, experience


def _check_act(
    what: str,
    env: Environment,
    learner: Learner,
    state: PyTree,
    memory: PyTree,
    obs: PyTree,
    num_envs: int,
) -> tuple[PyTree, PyTree]:
    """The shapes of the actions and the extras of a batch."""
    first, seen = _array(jnp.bool_, num_envs), []

    function: Callable[..., Any] = learner.act

    def act(deterministic: bool) -> Callable[..., Any]:
        return lambda *given: function(*given, deterministic)

    expected = _batch(jax.eval_shape(env.action_space.sample, KEY), num_envs)
    for deterministic in (False, True):
        result = jax.eval_shape(act(deterministic), KEY, state, memory, obs, first)
        if not (isinstance(result, tuple) and len(result) == 3):
            given = jax.tree.structure(result)
            raise ValueError(f"{what}, act: must return (memory, action, extras), got {given}.")
        after, action, extras = result
        check_same(f"{what}, memory through act", memory, after)
        check_same(f"{what}, action of act", expected, action)
        _check_leading(f"{what}, extras of act", extras, num_envs)
        seen.append(extras)
    check_same(f"{what}, extras of act, sampled and deterministic", seen[0], seen[1])
    return expected, seen[0]


def _check_learn(what: str, learner: Learner, state: PyTree, experience: Experience) -> None:
    after, critique = _learned(what, learner, state, experience)
    check_same(f"{what}, state through learn", state, after)
    _check_critique(f"{what}, learn", learner, critique, experience)


def _learned(
    what: str, learner: Learner, state: PyTree, experience: Experience
) -> tuple[PyTree, PyTree]:
    """The shapes of what `learn` returns."""
    result = jax.eval_shape(learner.learn, KEY, state, experience)
    if not (isinstance(result, tuple) and len(result) == 2):
        given = jax.tree.structure(result)
        raise ValueError(f"{what}, learn: must return (state, critique), got {given}.")
    return result


def _check_critique(what: str, learner: Learner, critique: PyTree, experience: Experience) -> None:
    if learner.has_critic not in (True, False):
        name = f"Learner {learner.name!r}"
        raise ValueError(f"{name}: has_critic must be True or False, got {learner.has_critic!r}.")
    if not learner.has_critic:
        if critique is not None:
            raise ValueError(f"{what}: must return no critique, as has_critic is False.")
        return
    if not isinstance(critique, Critique):
        given = jax.tree.structure(critique)
        raise ValueError(f"{what}: must return a Critique, as has_critic is True, got {given}.")
    steps = _array(jnp.float32, *experience.reward.shape)
    expected = Critique(values=steps, advantages=steps, discount=_array(jnp.float32))
    check_same(f"{what}, values and advantages", expected, critique)


def _check_report(what: str, report: Any) -> None:
    is_flat = isinstance(report, dict) and all(
        getattr(leaf, "shape", None) == () for leaf in report.values()
    )
    if not is_flat:
        raise ValueError(f"{what}, report: must return a dictionary of scalars, got {report}.")


def _check_leading(what: str, shapes: PyTree, num: int) -> None:
    for path, leaf in jax.tree_util.tree_leaves_with_path(shapes):
        if leaf.shape[:1] != (num,):
            name = jax.tree_util.keystr(path) or "(itself)"
            raise ValueError(f"{what}: leaf {name} must be [{num}, ...], got {list(leaf.shape)}.")


def _batch(shapes: PyTree, num: int) -> PyTree:
    return jax.tree.map(lambda leaf: _array(leaf.dtype, num, *leaf.shape), shapes)


def _array(dtype: Any, *shape: int) -> Any:
    return jax.ShapeDtypeStruct(shape, dtype)
