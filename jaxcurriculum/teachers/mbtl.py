"""Model-based transfer learning (MBTL): a policy for each of a few contexts, the next one chosen.

    propose: the context of the policy in training, and nothing else
    update:  once it is trained it plays all contexts, $T[s, j]$ its mean return on $j$;
             the next context is that of the highest
             $mean_j max(0, m_i + sqrt(log(k)) s_i - slope |x_i - x_j| - b_j)$

$m, s$ predict from $T$ how well training on $i$ works, $b_j$ is the best return on $j$ so far. The
rule is that of `transfer.mbtl`.

Source: J.-H. Cho, V. Jayawardana, S. Li, C. Wu, "Model-based transfer learning for contextual
reinforcement learning", NeurIPS 2024.
"""

from __future__ import annotations

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.configs import Config, Range, field
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Episodes, Key, Proposals, fresh_proposals, random_seeds
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.spaces import Box
from jaxcurriculum.teachers.parts.ring import usable
from jaxcurriculum.teachers.parts.sampling import free_axes, from_free
from jaxcurriculum.transfer.mbtl import MbtlRule, Progress, add, begin, next_context

MOST_CONTEXTS = 2000  # each meets each when the next one is chosen
CELLS, MOST_AXES = 20, 2  # of the grid by default
LOG2_SPREAD = 8  # of the number of contexts where there are more axes


@dataclasses.dataclass(frozen=True, kw_only=True)
class MbtlConfig(Config):
    """How many policies, for how long, and how they are judged."""

    num_policies: int = field(8, low=1, high=64, help="policies trained one after the other")
    rounds_each: int = field(50, low=1, help="rounds of training of each")
    cells: int | None = field(
        None,
        low=1,
        help="contexts an axis: the centres of the cells of a grid; None: 20 on one or two axes, on"
        " more 256 contexts spread evenly",
    )
    num_episodes: int = field(5, low=1, help="episodes that a trained policy plays on each context")
    return_range: Range | None = field(
        (-150.0, 350.0), help="returns mapped to [0, 1] and clipped; None: raw returns"
    )
    rule: MbtlRule = field(MbtlRule(), help="how the next context is chosen")


class MbtlState(struct.PyTreeNode):
    """What policies were trained on, and who is best where."""

    progress: Progress
    context: jax.Array  # [], int32, that is trained on
    learner: jax.Array  # [num_contexts], int32, the best policy on each; 0 before there is one


def mbtl(task_space: Box, config: MbtlConfig | None = None) -> Teacher:
    """A teacher that trains a policy after the other, each on the context that will help most.

    It goes with `students.succession(student, num_policies, rounds_each)`, which begins a new
    policy when its turn comes and keeps the others. A student of one learner learns on from context
    to context instead, and forgets. The probes' environment steps are returned as `probe_steps`.
    After the last policy nothing is chosen any more, and training goes on where it is. The report
    says which learner is best on each context. Contexts whose episodes all ended
    invalid count as a return of 0.

    Differs from the paper: there all policies are trained first and the choices replayed, and the
    evaluations are not counted. See `MbtlRule` for the process.

    Raises:
      ValueError: when the grid has more than 2,000 contexts, or fewer than policies.

    >>> from jaxcurriculum import make_loop
    >>> from jaxcurriculum.students import simulated, succession
    >>> config = MbtlConfig(num_policies=3, rounds_each=100, cells=5, return_range=None)
    >>> student = succession(simulated.toy_grid(), config.num_policies, config.rounds_each)
    >>> loop = make_loop(mbtl(student.task_space, config), student, [[0.2, 0.2]])
    >>> _, proposals = loop.teacher.propose(jax.random.key(1), loop.init(jax.random.key(0)).teacher,
    ...     1)
    >>> proposals.tasks.tolist()
    [[0.5, 0.5]]
    """
    check_kind("mbtl.task_space", task_space, Box)
    config = given(config, MbtlConfig)
    points = _contexts(task_space, config)
    num_contexts = points.shape[0]

    def init(key: Key) -> MbtlState:
        progress = begin(num_contexts, config.num_policies)
        return MbtlState(
            progress=progress,
            context=next_context(progress, points, config.rule),
            learner=jnp.zeros((num_contexts,), jnp.int32),
        )

    def tasks_at(points: jax.Array) -> jax.Array:
        return jax.vmap(lambda point: from_free(task_space, point))(points)

    def propose(key: Key, state: MbtlState, num: int) -> tuple[MbtlState, Proposals]:
        here = jnp.broadcast_to(points[state.context], (num, points.shape[1]))
        return state, fresh_proposals(key, tasks_at(here))

    def judged(key: Key, state: MbtlState, context: Context) -> tuple[MbtlState, jax.Array]:
        key_seeds, key_probe = jax.random.split(key)
        seeds = random_seeds(key_seeds, num_contexts)
        episodes = context.probe(key_probe, tasks_at(points), seeds, config.num_episodes, True)
        returns = _scaled(episodes, num_contexts, config)
        before = state.progress
        progress = add(before, points, state.context, returns)
        is_better = (returns > before.covered) | (before.num == 0)
        is_last = progress.num == config.num_policies
        following = next_context(progress, points, config.rule)
        state = MbtlState(
            progress=progress,
            context=jnp.where(is_last, state.context, following),
            learner=jnp.where(is_better, before.num, state.learner),
        )
        lengths = jnp.where(episodes.valid, episodes.lengths, 0)
        return state, jnp.sum(lengths, dtype=jnp.int32)

    def update(
        key: Key, state: MbtlState, episodes: Episodes, context: Context
    ) -> tuple[MbtlState, jax.Array]:
        is_trained = (context.round + 1) % config.rounds_each == 0
        due = is_trained & (context.round < config.num_policies * config.rounds_each)
        none = jnp.int32(0)
        return jax.lax.cond(due, lambda: judged(key, state, context), lambda: (state, none))

    def report(state: MbtlState) -> dict[str, jax.Array]:
        progress = state.progress
        return {
            "trained": tasks_at(points[progress.trained]),  # the first num_trained count
            "num_trained": progress.num,
            "covered": progress.covered,
            "coverage": jnp.mean(progress.covered),
            "learner": state.learner,
        }

    return Teacher(
        name="mbtl", init=init, propose=propose, update=update, report=report, config=config
    )


def _contexts(space: Box, config: MbtlConfig) -> jax.Array:
    """Centres of the cells of a grid over the free axes of the unit cube, or as many points of a
    Sobol sequence as fill it evenly, [num, free axes].
    """
    dims = len(free_axes(space))
    if config.cells is None and dims > MOST_AXES:
        from scipy.stats.qmc import Sobol

        return jnp.array(Sobol(dims, rng=0).random_base2(LOG2_SPREAD), jnp.float32)
    cells = config.cells or CELLS
    if not config.num_policies <= cells**dims <= MOST_CONTEXTS:
        raise ValueError(
            f"MbtlConfig.cells must give a context for each of {config.num_policies} policies, and"
            f" at most {MOST_CONTEXTS:,}, got {cells} on each of {dims} axes."
        )
    centres = (np.arange(cells) + 0.5) / cells
    return jnp.array(list(itertools.product(centres, repeat=dims)), jnp.float32)


def _scaled(episodes: Episodes, num_contexts: int, config: MbtlConfig) -> jax.Array:
    """Mean return on each context, [num_contexts], of `episodes`, task-major."""
    low, high = config.return_range or (0.0, 1.0)
    counts = usable(episodes).reshape(num_contexts, config.num_episodes)
    returns = (episodes.returns.reshape(counts.shape) - low) / (high - low)
    if config.return_range is not None:
        returns = jnp.clip(returns, 0.0, 1.0)
    total = jnp.sum(jnp.where(counts, returns, 0.0), axis=1)
    return total / jnp.maximum(jnp.sum(counts, axis=1), 1)
