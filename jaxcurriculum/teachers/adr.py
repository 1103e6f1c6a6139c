"""Automatic domain randomisation (ADR): a box that grows as far as the student can follow.

    propose: $task ~ U(box)$; with probability `face_share` one coordinate is moved onto one face
             of the box, all faces equally likely
    update:  a face collects the returns of the tasks that were drawn on it;
             of every `judge_every` of them
                 mean at least `grow_at`    the face moves outwards by a step
                 mean at most `shrink_at`   the face moves inwards by a step

The box begins as a point and stays in the task space.

Source: OpenAI, I. Akkaya et al., "Solving Rubik's cube with a robot hand", 2019. Second preset: C.
Romac et al., "TeachMyAgent: a benchmark for automatic curriculum learning in Deep RL", ICML 2021,
and the code published with it.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Episodes, Key, Proposals, fresh_proposals
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.spaces import Box
from jaxcurriculum.teachers.parts import ring
from jaxcurriculum.teachers.parts.sampling import check_task

INSIDE = -1  # origin of a task that was not moved onto a face
OUTWARDS = np.array([[-1.0], [1.0]], np.float32)  # of the low and of the high faces
# a face that comes so near to a bound of the space (fraction of the range) stands on it
ROUNDING = 1e-5


@dataclasses.dataclass(frozen=True, kw_only=True)
class AdrConfig(Config):
    """The rule of 2019 with thresholds for raw returns; `teach_my_agent()` is a variant."""

    face_share: Swept = field(
        0.5,
        low=0,
        high=1,
        help="share of tasks that are moved onto a face of the box",
    )
    judge_every: int = field(
        240,
        low=1,
        help="episodes on a face between two judgements of it, and episodes judged",
    )
    grow_at: Swept = field(180.0, help="mean return from which on a face moves outwards")
    shrink_at: Swept | None = field(
        0.0,
        help="mean return down from which a face moves inwards; None: the box only grows",
    )
    step_size: Swept | tuple[float, ...] = field(
        0.02,
        low=1e-12,
        help="how far a face moves at a time, one number or one an axis",
    )
    step_in_units: bool = field(
        False,
        help="step_size is in the axes' own units, not a fraction of each axis' range",
    )
    point_is_face: bool = field(
        False,
        help="while an axis is a point, every episode counts for both its faces",
    )
    test_full_axes: bool = field(
        True,
        help="also draw on the faces of an axis that spans its range, so that it can shrink again",
    )
    initial_mean: tuple[float, ...] | None = field(
        None,
        help="an easy task, in the axes' units, where the box begins; None: a random task",
    )

    def __post_init__(self):
        super().__post_init__()
        traced = isinstance(self.shrink_at, jax.Array) or isinstance(self.grow_at, jax.Array)
        if self.shrink_at is not None and not traced and not self.shrink_at < self.grow_at:
            got = f"{self.shrink_at} and {self.grow_at}"
            raise ValueError(f"AdrConfig must have shrink_at < grow_at, got {got}.")

    @classmethod
    def paper(cls) -> AdrConfig:
        """The settings of 2019, but for the thresholds, which were numbers of successes."""
        return cls()

    @classmethod
    def teach_my_agent(cls) -> AdrConfig:
        """The tuned settings of TeachMyAgent, 2021: ten episodes judge a face.

        A step is 0.1 in the unit of whatever axis.
        """
        settings = cls(
            face_share=0.7,
            judge_every=10,
            grow_at=180.0,
            shrink_at=0.0,
            step_size=0.1,
            step_in_units=True,
        )
        return dataclasses.replace(settings, point_is_face=True, test_full_axes=False)


Episode = tuple[jax.Array, jax.Array, jax.Array]  # origin, return, whether it counts, [] each


class AdrState(struct.PyTreeNode):
    """The box, in the unit cube, and each face: row 0 the low ones, row 1 the high ones."""

    faces: jax.Array  # [2, dims], fraction of each axis' range
    totals: jax.Array  # [2, dims], sum of the returns since the face was last judged
    num_unjudged: jax.Array  # [2, dims], int32, how many these are
    num_moves: jax.Array  # [2, dims], int32, how often the face has moved


def adr(task_space: Box, config: AdrConfig | None = None) -> Teacher:
    """A teacher that draws in a box, tests its faces, and moves those of good or bad returns.

    The box begins at `initial_mean`, or at a random task. A low face never passes the high one. An
    axis of zero width has no faces to test. A task's `origin` is -1 inside the box; on a face it is
    `face + 2 dims moves`, `face` being the axis for its low face and `axis + dims` for its high
    one, and `moves` how often that face had moved: an episode on a face that has moved since does
    not count. Episodes are taken one after the other, so a batch is like as many rounds of one
    episode, but for its tasks, which were all drawn before it.

    Differs from the paper: thresholds are for returns, not for numbers of successes (10 and 20 of
    at most 50 there); a step is a fraction of each axis' range, which lets axes of different units
    grow alike. TeachMyAgent's code takes the step in whatever units the axes have, and asks of
    every episode whether a coordinate equals that of a face: all episodes count for both faces of
    an axis that is still a point (`point_is_face`). There an axis that spans its whole range is not
    tested any more and stays so for good (`test_full_axes`). Its box draws the same random numbers
    again after each move; this one does not.

    Raises:
      ValueError: when `initial_mean` is no task of the space, `step_size` has not one entry an
        axis, or it is in the units of a logarithmic axis.

    >>> space = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0))
    >>> teacher = adr(space, AdrConfig(initial_mean=(0.0, 6.0)))
    >>> {name: x.tolist() for name, x in teacher.report(teacher.init(jax.random.key(0))).items()}
    {'low': [0.0, 6.0], 'high': [0.0, 6.0], 'volume': 0.0}
    """
    check_kind("adr.task_space", task_space, Box)
    config = given(config, AdrConfig)
    check_task(config, "initial_mean", task_space)
    dims = task_space.dims
    step = _unit_step(task_space, config)
    is_wide = task_space.has_width
    tested = np.arange(2 * dims)
    if is_wide.any():
        tested = np.flatnonzero(np.tile(is_wide, 2))

    def init(key: Key) -> AdrState:
        if config.initial_mean is None:
            start = jax.random.uniform(key, (dims,))
        else:
            start = task_space.to_unit(jnp.array(config.initial_mean, jnp.float32))
        start = _snapped(start)
        none = jnp.zeros((2, dims), jnp.int32)
        return AdrState(
            faces=jnp.stack([start, start]),
            totals=jnp.zeros((2, dims)),
            num_unjudged=none,
            num_moves=none,
        )

    def propose(key: Key, state: AdrState, num: int) -> tuple[AdrState, Proposals]:
        key_inside, key_tests, key_face, key_seeds = jax.random.split(key, 4)
        low, high = state.faces
        place = jax.random.uniform(key_inside, (num, dims))
        inside = low[None] + place * (high - low)[None]
        which = jax.random.randint(key_face, (num,), 0, len(tested))
        face = jnp.asarray(tested, jnp.int32)[which]
        can_move = is_wide & (config.test_full_axes | (low > 0) | (high < 1))
        tests = jax.random.uniform(key_tests, (num,)) < config.face_share
        tests = tests & can_move[face % dims]
        axes = jnp.arange(dims, dtype=jnp.int32)
        moved = tests[:, None] & (face[:, None] % dims == axes[None])
        unit = jnp.where(moved, state.faces.ravel()[face][:, None], inside)
        tag = face + 2 * dims * state.num_moves.ravel()[face]
        origin = jnp.where(tests, tag, INSIDE)
        tasks = jax.vmap(task_space.from_unit)(unit)
        return state, fresh_proposals(key_seeds, tasks).replace(origin=origin)

    def update(
        key: Key, state: AdrState, episodes: Episodes, context: Context
    ) -> tuple[AdrState, jax.Array]:
        def judge(state: AdrState, episode: Episode) -> tuple[AdrState, None]:
            return _judged(state, episode, config, step, is_wide), None

        each = (episodes.origin, episodes.returns, ring.usable(episodes))
        return jax.lax.scan(judge, state, each)[0], jnp.int32(0)

    def report(state: AdrState) -> dict[str, jax.Array]:
        low, high = jax.vmap(task_space.from_unit)(state.faces)
        width = state.faces[1] - state.faces[0]
        volume = jnp.prod(jnp.where(is_wide, width, 1.0))  # fraction of the space
        return {"low": low, "high": high, "volume": volume}

    return Teacher(
        name="adr",
        init=init,
        propose=propose,
        update=update,
        report=report,
        config=config,
    )


def _judged(
    state: AdrState, episode: Episode, config: AdrConfig, step: jax.Array, is_wide: np.ndarray
) -> AdrState:
    """`state` after an episode, and moved by `step` where it was the last that a face awaited."""
    origin, episode_return, usable = episode
    dims = step.shape[0]
    face = jnp.arange(2 * dims, dtype=jnp.int32).reshape(2, dims)
    counts = origin == face + 2 * dims * state.num_moves
    if config.point_is_face:
        counts = counts | (state.faces[0] == state.faces[1])[None]
    counts = counts & usable & is_wide[None]
    totals = state.totals + jnp.where(counts, episode_return, 0.0)
    num_unjudged = state.num_unjudged + counts
    due = num_unjudged >= config.judge_every
    mean = totals / config.judge_every
    grows = due & (mean >= config.grow_at)
    shrinks = due & (mean <= (-jnp.inf if config.shrink_at is None else config.shrink_at))
    direction = jnp.where(grows, OUTWARDS, -OUTWARDS)
    moved = _snapped(state.faces + direction * step[None])
    low, high = jnp.where(grows | shrinks, moved, state.faces)
    # the low faces first, and none passes the other
    low = jnp.minimum(low, state.faces[1])
    faces = jnp.stack([low, jnp.maximum(high, low)])
    return AdrState(
        faces=faces,
        totals=jnp.where(due, 0.0, totals),
        num_unjudged=jnp.where(due, 0, num_unjudged),
        num_moves=state.num_moves + (faces != state.faces),
    )


def _unit_step(space: Box, config: AdrConfig) -> jax.Array:
    """How far a face moves on every axis, fraction of its range, [dims]."""
    step = jnp.asarray(config.step_size, jnp.float32)
    if step.shape not in ((), (space.dims,)):
        raise ValueError(
            f"AdrConfig.step_size must be one number or one an axis: {space.dims} axes but got"
            f" {config.step_size}."
        )
    if config.step_in_units:
        if any(space.log):
            raise ValueError(
                "AdrConfig.step_in_units must be False on a space with a logarithmic axis, got"
                " True."
            )
        low, high = space.bounds
        width = high - low
        step = step / (width + (width == 0))
    return jnp.broadcast_to(step, (space.dims,))


def _snapped(faces: jax.Array) -> jax.Array:
    """Faces clipped to the unit cube.

    Rounding must not leave one a hair inside a bound, which would count as room to grow.
    """
    faces = jnp.where(faces > 1 - ROUNDING, 1.0, faces)
    return jnp.where(faces < ROUNDING, 0.0, faces)
