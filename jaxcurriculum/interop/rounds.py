"""A teacher's half of the loop, compiled: rounds of proposals and of episodes, each by themselves.

`make_loop` splits one key a round, for `propose` and for `update`. Here the two walk along the same
chain of keys at their own pace, so a round has the same random numbers however late its returns
come.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.checks import check_same, check_size
from jaxcurriculum.device.switches import check_switches
from jaxcurriculum.records import CriticScores, Episodes, Key, Proposals, PyTree, strong
from jaxcurriculum.roles import Context, Teacher


class RoundState(struct.PyTreeNode):
    """All that the next round needs."""

    teacher: PyTree
    key_propose: Key  # [], where `propose` stands on the chain
    key_update: Key  # [], where `update` stands


class Rounds(NamedTuple):
    """Compiled functions; a round is `num` proposals, or `num` episodes, valid or not."""

    init: Callable[[Key], RoundState]
    propose: Callable[[RoundState], tuple[RoundState, Proposals]]
    # (state, episodes, round [] int32, num_steps [] int32) -> state
    update: Callable[[RoundState, Episodes, Any, Any], RoundState]
    report: Callable[[PyTree], PyTree]  # (the teacher's state) -> small pytree
    no_proposal: Proposals  # one, blank, in NumPy
    no_episode: Episodes  # the same
    reads: tuple[str, ...]  # what the teacher reads of an episode, of "solved" and "length"


def compile_rounds(teacher: Teacher, num: int, scores: Sequence[str]) -> Rounds:
    """The rounds of `teacher`, whose episodes have the critic's `scores`, and no others.

    Raises:
      ValueError: when the teacher breaks its contract, or needs what nobody gives it: a critic's
          scores, a student to probe, or several learners.
    """

    def init(key: Key) -> RoundState:
        key, key_teacher, _ = jax.random.split(key, 3)
        return RoundState(strong(teacher.init(key_teacher)), key, key)

    def propose(state: RoundState) -> tuple[RoundState, Proposals]:
        key, key_propose, _, _ = jax.random.split(state.key_propose, 4)
        changed, proposals = teacher.propose(key_propose, state.teacher, num)
        return state.replace(teacher=strong(changed), key_propose=key), proposals

    def update(state: RoundState, episodes: Episodes, round: Any, num_steps: Any) -> RoundState:
        def probe(*asked: Any) -> Episodes:
            raise ValueError(
                f"Teacher {teacher.name!r} probes the student, which is out of a HostTeacher's"
                " reach: choose a teacher that learns from the episodes of training alone."
            )

        key, _, _, key_update = jax.random.split(state.key_update, 4)
        context = Context(round, num_steps, probe)
        changed, _ = teacher.update(key_update, state.teacher, episodes, context)
        return state.replace(teacher=strong(changed), key_update=key)

    check_switches()
    check_size(f"Teacher {teacher.name!r}", teacher)
    if teacher.num_learners > 1:
        raise ValueError(
            f"Teacher {teacher.name!r} compares {teacher.num_learners} learners, but a HostTeacher"
            " has one: choose a teacher of one."
        )
    _check_scores(teacher, scores)
    update = jax.jit(update)
    state = jax.eval_shape(init, jax.eval_shape(lambda: jax.random.key(0)))
    proposed, proposals = jax.eval_shape(propose, state)
    check_same(f"Teacher {teacher.name!r}, state through propose", state, proposed)
    episodes = _episodes(proposals, num, scores)
    return Rounds(
        init=jax.jit(init),
        propose=jax.jit(propose),
        update=update,
        report=jax.jit(teacher.report),
        no_proposal=_blank(proposals),
        no_episode=_blank(episodes),
        reads=_what_is_read(teacher, update, state, episodes),
    )


def critic_scores(known: dict[str, Any]) -> CriticScores | None:
    """A record of the scores that are known, the others None; None where there is none."""
    names: dict[str, Any] = dict.fromkeys(CriticScores.__dataclass_fields__)
    return CriticScores(**(names | known)) if known else None


def _blank(rows: PyTree) -> PyTree:
    return jax.tree.map(lambda leaf: np.zeros(leaf.shape[1:], leaf.dtype)[()], rows)


def _check_scores(teacher: Teacher, scores: Sequence[str]) -> None:
    known = tuple(CriticScores.__dataclass_fields__)
    if not isinstance(scores, tuple | list) or not all(name in known for name in scores):
        raise ValueError(f"scores must be a list of some of {', '.join(known)}, got {scores!r}.")
    if teacher.needs_optimal_return:
        raise ValueError(
            f"Teacher {teacher.name!r} needs the optimal return of a task, which a HostTeacher does"
            " not know: choose another score."
        )
    if teacher.needs_critic and not scores:
        raise ValueError(
            f"Teacher {teacher.name!r} needs a critic's scores of episodes: name those that your"
            ' trainer computes, as in scores=("positive_value_loss",), and give them to every'
            " update, or choose a score of returns alone."
        )


def _episodes(proposals: Proposals, num: int, scores: Sequence[str]) -> Episodes:
    """A round of episodes, in shapes."""

    def array(dtype: Any) -> Any:
        return jax.ShapeDtypeStruct((num,), dtype)

    return Episodes(
        tasks=proposals.tasks,
        seeds=proposals.seeds,
        origin=proposals.origin,
        learner=array(jnp.int32),
        returns=array(jnp.float32),
        lengths=array(jnp.int32),
        solved=array(jnp.bool_),
        valid=array(jnp.bool_),
        critic=critic_scores({name: array(jnp.float32) for name in scores}),
    )


def _what_is_read(
    teacher: Teacher, update: Callable, state: RoundState, episodes: Episodes
) -> tuple[str, ...]:
    """What `update` cannot be traced without, of "solved" and "length"; all else is checked."""
    count: Any = jax.ShapeDtypeStruct((), jnp.int32)
    try:
        after = jax.eval_shape(update, state, episodes, count, count)
    except (AttributeError, TypeError) as error:
        if episodes.critic is None:
            raise
        raise ValueError(
            f"Teacher {teacher.name!r} cannot learn from the critic's scores that are named, and"
            f" no others: {error}"
        ) from error
    check_same(f"Teacher {teacher.name!r}, state through update", state, after)

    def is_enough(**absent: None) -> bool:
        num_steps = None if "lengths" in absent else count
        try:
            jax.eval_shape(update, state, episodes.replace(**absent), count, num_steps)
        except Exception:  # a teacher may fail in any way on a field that is not there
            return False
        return True

    if is_enough(solved=None, lengths=None):
        return ()
    if is_enough(lengths=None):
        return ("solved",)
    return ("length",) if is_enough(solved=None) else ("solved", "length")
