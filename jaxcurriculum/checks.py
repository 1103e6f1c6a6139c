"""Checks at the boundary: a role is traced once, and what differs is named before a scan fails."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from jaxcurriculum import tree
from jaxcurriculum.device.switches import check_switches
from jaxcurriculum.fields import is_integer, is_range
from jaxcurriculum.records import Episodes, Proposals, PyTree, TimeStep
from jaxcurriculum.roles import Context, Environment, Student, Teacher
from jaxcurriculum.spaces import Space
from jaxcurriculum.suitability import check_learners, check_needs

GIB = 2**30  # bytes
MOST_BYTES = 8 * GIB  # of a seed's teacher, and of its student


def check_same(what: str, before: PyTree, after: PyTree) -> None:
    """Raise a ValueError that names the first leaf whose structure, shape or dtype differs."""
    leaves_before = dict(jax.tree_util.tree_leaves_with_path(before))
    leaves_after = dict(jax.tree_util.tree_leaves_with_path(after))
    for path in leaves_before | leaves_after:
        name = jax.tree_util.keystr(path) or "(the state itself)"
        old, new = leaves_before.get(path), leaves_after.get(path)
        if old is None or new is None:
            found = "missing" if new is None else "new"
            raise ValueError(
                f"{what}: leaf {name} is {found} afterwards; it must keep its structure."
            )
        if (old.shape, old.dtype) != (new.shape, new.dtype):
            raise ValueError(
                f"{what}: leaf {name} must stay {_kind(old)}, but becomes {_kind(new)}."
            )
    if jax.tree.structure(before) != jax.tree.structure(after):
        raise ValueError(
            f"{what}: must keep its structure {jax.tree.structure(before)}, but becomes"
            f" {jax.tree.structure(after)}."
        )


def check_environment(env: Environment) -> None:
    """Trace an environment once and compare what goes in with what comes out.

    Raises:
      ValueError: when `step` changes the state's structure, shapes or dtypes, or a time step is not
          as documented.
    """
    what = f"Environment {env.name!r}"
    if not is_integer(env.max_episode_steps, 1):
        raise ValueError(
            f"{what}: max_episode_steps must be a positive integer, got {env.max_episode_steps!r}."
        )
    if env.return_range is not None and not is_range(env.return_range):
        raise ValueError(
            f"{what}: return_range must be None or (low, high), finite with low <"
            f" high, got {env.return_range!r}."
        )
    for name in ("task_space", "action_space"):
        space = getattr(env, name)
        if not callable(getattr(space, "sample", None)):
            raise ValueError(f"{what}: {name} must be a space, as Box or Discrete, got {space!r}.")
    if env.batch_axis not in (0, -1):
        raise ValueError(f"{what}: batch_axis must be 0 or -1, got {env.batch_axis!r}.")
    key = jax.eval_shape(lambda: jax.random.key(0))
    task = jax.eval_shape(env.task_space.sample, key)
    level = jax.eval_shape(env.generate, key, task)
    state, first = _pair(f"{what}, reset", jax.eval_shape(env.reset, key, level), TimeStep)
    action = jax.eval_shape(env.action_space.sample, key)
    after = jax.eval_shape(env.step, key, level, state, action)
    next_state, timestep = _pair(f"{what}, step", after, TimeStep)
    check_same(f"{what}, state through step", state, next_state)
    expected = TimeStep(
        obs=first.obs,
        reward=_array(jnp.float32),
        terminated=_array(jnp.bool_),
        truncated=_array(jnp.bool_),
    )
    check_same(f"{what}, time step of reset", expected, first)
    check_same(f"{what}, time step of step", expected, timestep)
    for path, leaf in jax.tree_util.tree_leaves_with_path(first.obs):
        if jnp.issubdtype(leaf.dtype, jnp.complexfloating):
            name = jax.tree_util.keystr(path) or "(itself)"
            raise ValueError(f"{what}, observation: leaf {name} must be real, got {_kind(leaf)}.")


def check_size(name: str, role: Teacher | Student) -> None:
    """Check, without making it, that the state of `role` for one seed takes no more than 8 GiB.

    Raises:
      ValueError: naming the role, what its state takes, and the largest leaf.
    """
    state = jax.eval_shape(role.init, jax.eval_shape(lambda: jax.random.key(0)))
    if (num_bytes := tree.num_bytes(state)) > MOST_BYTES:
        raise ValueError(
            f"{name}: the state of one seed must take at most {MOST_BYTES / GIB:g} GiB, but takes "
            f"{num_bytes / GIB:.3g} GiB; its largest leaf is {largest_leaf(state)}."
        )


def largest_leaf(state: PyTree) -> str:
    """Where the leaf of `state` lies that takes the most bytes, and its shape."""
    leaves = jax.tree_util.tree_leaves_with_path(state)
    path, largest = max(leaves, key=lambda leaf: tree.num_bytes(leaf[1]))
    place = jax.tree_util.keystr(path) or "(the state itself)"
    return f"{place} of shape {list(largest.shape)}"


def check_roles(teacher: Teacher, student: Student) -> None:
    """Trace one round of teacher and student and compare what goes in with what comes out.

    Raises:
      ValueError: when a state is too large, when it changes its structure, shapes or dtypes, when
        proposals do not fit the student's task space, or when one of JAX's switches is set as no
        loop can use it.
      TypeError: when teacher or student are something else.
    """
    for name, role, kind in (("teacher", teacher, Teacher), ("student", student, Student)):
        if not isinstance(role, kind):
            raise TypeError(
                f"{name} must be a {kind.__name__}, as its factory returns it, got"
                f" {type(role).__name__}."
            )
    check_switches()
    check_size(f"Teacher {teacher.name!r}", teacher)
    check_size(f"Student {student.name!r}", student)
    check_learners(teacher, student)
    proposals = _checked_proposals(teacher, student)
    episodes = _checked_episodes(student, proposals)
    check_needs(teacher, student, episodes)
    _check_update(teacher, student, episodes)
    _check_evaluation(student, proposals)


def _checked_proposals(teacher: Teacher, student: Student) -> Proposals:
    """What `teacher` proposes to `student`, in shapes."""
    key = jax.eval_shape(lambda: jax.random.key(0))
    task = jax.eval_shape(student.task_space.sample, key)
    state = jax.eval_shape(teacher.init, key)
    num = student.num_proposals
    result = jax.eval_shape(lambda key, state: teacher.propose(key, state, num), key, state)
    after, proposals = _pair(f"Teacher {teacher.name!r}, propose", result, Proposals)
    check_same(f"Teacher {teacher.name!r}, state through propose", state, after)
    expected = Proposals(
        tasks=jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((num, *leaf.shape), leaf.dtype), task),
        seeds=_array(jnp.uint32, num),
        origin=_array(jnp.int32, num),
        weight=_array(jnp.float32, num),
    )
    check_same(f"Teacher {teacher.name!r}, proposals", expected, proposals)
    return proposals


def _checked_episodes(student: Student, proposals: Proposals) -> Episodes:
    """The episodes of `student` that come of `proposals`, in shapes."""
    key = jax.eval_shape(lambda: jax.random.key(0))
    state = jax.eval_shape(student.init, key)
    result = jax.eval_shape(student.train, key, state, proposals, _array(jnp.int32))
    after, episodes = _pair(f"Student {student.name!r}, train", result, Episodes)
    check_same(f"Student {student.name!r}, state through train", state, after)
    return episodes


def _check_update(teacher: Teacher, student: Student, episodes: Episodes) -> None:
    key = jax.eval_shape(lambda: jax.random.key(0))
    state = jax.eval_shape(teacher.init, key)
    zero = jnp.int32(0)

    def update(key, state, student_state, episodes):
        probe = functools.partial(_probe, student, student_state)
        context = Context(zero, zero, probe, student.optimal_return)
        return teacher.update(key, state, episodes, context)

    result = jax.eval_shape(update, key, state, jax.eval_shape(student.init, key), episodes)
    if not (isinstance(result, tuple) and len(result) == 2):
        raise ValueError(
            f"Teacher {teacher.name!r}, update: must return (state, probe_steps), got"
            f" {jax.tree.structure(result)}."
        )
    after, probe_steps = result
    check_same(f"Teacher {teacher.name!r}, probe_steps of update", _array(jnp.int32), probe_steps)
    check_same(f"Teacher {teacher.name!r}, state through update", state, after)
    jax.eval_shape(teacher.report, state)


def _probe(student: Student, state: PyTree, key: PyTree, *asked) -> Episodes:
    return student.evaluate(key, state, *asked)


def _check_evaluation(student: Student, proposals: Proposals) -> None:
    key = jax.eval_shape(lambda: jax.random.key(0))
    state = jax.eval_shape(student.init, key)

    def evaluate(key, state, tasks, seeds):
        return student.evaluate(key, state, tasks, seeds, 1, True)

    results = jax.eval_shape(evaluate, key, state, proposals.tasks, proposals.seeds)
    if not isinstance(results, Episodes):
        raise ValueError(
            f"Student {student.name!r}, evaluate: must return Episodes, got"
            f" {jax.tree.structure(results)}."
        )


def checked_test_tasks(space: Space, test_tasks: PyTree, name: str = "test_tasks") -> PyTree:
    """`test_tasks`, called `name`, as tasks of `space`, every leaf an array [num_tasks, ...].

    They may be arrays, NumPy's too, or lists of numbers.

    Raises:
      ValueError: when they are no tasks, or one lies outside the space.
    """
    task = jax.eval_shape(lambda: space.sample(jax.random.key(0)))
    try:
        test_tasks = jax.tree.map(_as_dtype, task, test_tasks)
    except (TypeError, ValueError) as error:
        why = f": {error}" if "\n" not in str(error) else f", got {type(test_tasks).__name__}."
        raise ValueError(f"{name}: each task must be {jax.tree.map(_kind, task)}{why}") from None
    _check_test_tasks(space, task, test_tasks, name)
    return test_tasks


def _as_dtype(leaf: Any, values: Any) -> Any:
    """`values` in the dtype of `leaf`; as they are where that would change the numbers."""
    if isinstance(values, Tracer) or getattr(values, "dtype", None) == leaf.dtype:
        return values
    array = np.asarray(values)
    cast = array.astype(leaf.dtype)
    is_float = jnp.issubdtype(leaf.dtype, jnp.floating)
    fits = array.dtype.kind in "iuf" if is_float else np.array_equal(array, cast)
    return cast if fits else array


def _check_test_tasks(space: Space, task: PyTree, test_tasks: PyTree, name: str) -> None:
    leaves = jax.tree.leaves(test_tasks)
    if any(leaf.ndim == 0 for leaf in leaves):
        raise ValueError(f"{name} must have a leading axis, [num_tasks, ...], got none.")
    if any(len(leaf) == 0 for leaf in leaves):
        raise ValueError(f"{name} must hold at least one task, got none.")
    expected = jax.tree.map(_kind, task)
    given = jax.tree.map(lambda leaf: f"{leaf.dtype}{list(leaf.shape[1:])}", test_tasks)
    alike = [
        (leaf.dtype, leaf.ndim - 1) == (one.dtype, one.ndim)
        for leaf, one in zip(leaves, jax.tree.leaves(task))
    ]
    if given != expected and not (getattr(space, "sizes_vary", False) and all(alike)):
        raise ValueError(f"{name}: each task must be {expected}, got {given}.")
    if any(isinstance(leaf, Tracer) for leaf in leaves):
        return  # made inside a sweep that is being traced: its values are not known yet
    with jax.ensure_compile_time_eval():
        inside = np.asarray(jax.vmap(space.contains)(test_tasks))
    if not inside.all():
        first = int(np.argmin(inside))
        task, fault = tree.take(test_tasks, first), getattr(space, "fault", None)
        shown = "" if fault else f" = {jax.tree.map(lambda leaf: leaf.tolist(), task)}"
        why = f": {fault(task)}" if fault else ""
        raise ValueError(f"{name}[{first}]{shown} lies outside the task space{why}.")


def _pair(what: str, result: Any, second: type) -> tuple[Any, Any]:
    if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], second)):
        given = type(result).__name__
        if isinstance(result, tuple):
            given = f"({', '.join(type(part).__name__ for part in result)})"
        raise ValueError(f"{what}: must return (state, {second.__name__}), got {given}.")
    return result


def _array(dtype: Any, *shape: int) -> Any:
    return jax.ShapeDtypeStruct(shape, dtype)


def _kind(leaf: Any) -> str:
    return f"{leaf.dtype}{list(leaf.shape)}"
