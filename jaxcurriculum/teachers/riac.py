"""RIAC: a task space cut where learning progress differs, practised where it is high.

    $ALP(region) = |mean(older) - mean(newer)|$    halves of the latest `max_items` returns in it
                                                   (0 for two or fewer)
    cut:     a leaf with more than `max_items` episodes is cut in two:
             of `num_attempts` random cuts the one with the greatest $|ALP_1 - ALP_2|$
    propose: 70 %  region $k ~ ALP_k$, of all regions, not only leaves, then uniform in it
             20 %  uniform
             10 %  region $k ~ ALP_k$, then its task of lowest return $+ N(0, sigma^2)$,
                   clipped to the region, with $sigma$ = `mutation_std`

Source: A. Baranes, P.-Y. Oudeyer, "R-IAC: robust intrinsically motivated exploration and active
learning", IEEE TAMD 2009, as adapted by R. Portelas et al., "Teacher algorithms for curriculum
learning of Deep RL in continuously parameterized environments", CoRL 2019. Second preset: C. Romac
et al., "TeachMyAgent: a benchmark for automatic curriculum learning in Deep RL", ICML 2021.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.device.lanes import all_seeds_at_once, shared_max
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Episodes, Key, Proposals, fresh_proposals
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.spaces import Box
from jaxcurriculum.teachers.parts import regions, ring
from jaxcurriculum.teachers.parts.cutting import Cutting
from jaxcurriculum.teachers.parts.regions import Regions
from jaxcurriculum.teachers.parts.sampling import in_proportion

MOST_SIDES = 10_000_000  # of cuts: on which side of each an episode lies, no part of the state
UNIFORM = -1  # origin of a task that was drawn uniformly; otherwise the number of its region


@dataclasses.dataclass(frozen=True, kw_only=True)
class RiacConfig(Config):
    """The settings of 2019; `teach_my_agent()` gives those of the later benchmark."""

    max_items: int = field(
        200,
        low=3,
        help="episodes beyond which a leaf is cut, and returns in the window of its progress",
    )
    num_attempts: int = field(50, low=1, help="cuts compared")
    max_draws: int = field(
        100,
        low=1,
        help="cuts drawn to find so many with `min_share` of the episodes on each side",
    )
    min_share: float = field(
        1 / 20,
        low=0,
        high=0.5,
        help="fewest episodes on each side of a cut, fraction of max_items",
    )
    min_side: Swept = field(
        1 / 15,
        low=0,
        high=0.5,
        help="shortest side of a region, fraction of the axis' range",
    )
    discard: float = field(
        1 / 4,
        low=0,
        high=1,
        help="oldest episodes that a leaf forgets when it could not be cut, fraction of max_items",
    )
    weigh_populations: bool = field(
        True,
        help="multiply a cut's score by the episodes on both sides; the authors' code does not",
    )
    exploration: Swept = field(0.2, low=0, high=1, help="share of tasks drawn uniformly")
    mutation: Swept = field(
        0.1,
        low=0,
        high=1,
        help="share of tasks near the one of lowest return in a region",
    )
    mutation_std: Swept = field(
        0.1,
        low=0,
        high=1e9,
        help="standard deviation about it on every axis, in the axis' own unit",
    )
    max_regions: int = field(
        511,
        low=3,
        help="regions kept, inner ones included; when they are used up no leaf is cut any more",
    )

    def __post_init__(self):
        super().__post_init__()
        if self.max_draws * self.max_items > MOST_SIDES:
            got = f"{self.max_items} * {self.max_draws}"
            raise ValueError(
                f"RiacConfig must have max_items * max_draws <= {MOST_SIDES:,}, got {got}."
            )
        if self.max_draws < self.num_attempts:
            raise ValueError(
                f"RiacConfig.max_draws must be at least num_attempts={self.num_attempts}, got"
                f" {self.max_draws}."
            )
        if int(self.discard * self.max_items) < 1:
            raise ValueError(
                f"RiacConfig.discard must be at least one episode of max_items={self.max_items},"
                f" got {self.discard}."
            )
        shares = (self.exploration, self.mutation)
        if not any(isinstance(share, jax.Array) for share in shares) and sum(shares) > 1:
            raise ValueError(
                f"RiacConfig.exploration and mutation must be at most 1 together, got {shares[0]}"
                f" and {shares[1]}."
            )

    @classmethod
    def paper(cls) -> RiacConfig:
        """The settings of 2019 (the defaults)."""
        return cls()

    @classmethod
    def teach_my_agent(cls) -> RiacConfig:
        """The tuned settings of 2021: quicker cuts, more attempts, larger regions."""
        return cls(max_items=150, num_attempts=75, max_draws=150, min_side=0.1)


class RiacReport(struct.PyTreeNode):
    """The regions as a picture shows them, in the units of the task space and of the return."""

    low: jax.Array  # [max_regions, dims]
    high: jax.Array  # [max_regions, dims]
    alp: jax.Array  # [max_regions]
    leaf: jax.Array  # [max_regions], bool: the leaves are a partition of the space
    num_regions: jax.Array  # [], int32
    num_episodes: jax.Array  # [], int32


class ProposalDraws(struct.PyTreeNode):
    """All chance in the choice of tasks."""

    # [num], in [0, 1): below `exploration` uniform, below `exploration` + `mutation` a mutation
    mode: jax.Array
    region: jax.Array  # [num], in [0, 1): where in the cumulative learning progress of the regions
    inside: jax.Array  # [num, dims], in [0, 1): where in the region
    noise: jax.Array  # [num, dims], standard normal


def proposal_draws(key: Key, num: int, dims: int) -> ProposalDraws:
    """The random numbers of `num` proposals."""
    key_uniform, key_noise = jax.random.split(key)
    uniform = jax.random.uniform(key_uniform, (num, dims + 2))
    return ProposalDraws(
        mode=uniform[:, 0],
        region=uniform[:, 1],
        inside=uniform[:, 2:],
        noise=jax.random.normal(key_noise, (num, dims)),
    )


def riac(task_space: Box, config: RiacConfig | None = None) -> Teacher:
    """A teacher that cuts the task space into regions of different learning progress.

    Every episode goes to all regions that contain its task. The episodes of a round are taken one
    after the other, so a batch gives the regions that single episodes would, but its tasks were all
    drawn before. A leaf that could not be cut forgets its oldest episodes and is tried again when
    it is full again. Once `max_regions` are in use no leaf is cut any more and each goes on with
    its latest `max_items` + 1 episodes. With the defaults a seed's state takes 0.43 + 0.21 dims MB.

    Differs from the paper: a cut with too few episodes on one side is drawn again at most until
    `max_draws` cuts are drawn, and never across an axis of no width. Regions remember `max_items` +
    1 episodes, inner ones too; where the published code lost count of a leaf after a cut in vain,
    it kept them all. A task on a threshold belongs to the lower half only. Both halves start with
    their own learning progress; the published code gave them that of the last attempt. The rule
    weighs a cut by the populations of both sides, the published code by a constant (both benchmarks
    ran it): `weigh_populations=False`. On a logarithmic axis thresholds and uniform tasks follow
    the logarithm.

    >>> space = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0))
    >>> teacher = riac(space, RiacConfig.teach_my_agent())
    >>> state, proposals = teacher.propose(jax.random.key(1), teacher.init(jax.random.key(0)), 4)
    >>> proposals.tasks.shape, int(state.num_regions)
    ((4, 2), 1)
    """
    check_kind("riac.task_space", task_space, Box)
    config = given(config, RiacConfig)
    dims = task_space.dims
    cutting = Cutting(
        axes=tuple(np.flatnonzero(task_space.has_width).tolist()) or (0,),
        max_draws=config.max_draws,
        num_attempts=config.num_attempts,
        min_items=config.min_share * config.max_items,
        num_forgotten=int(config.discard * config.max_items),
        weigh_populations=config.weigh_populations,
    )
    cut = all_seeds_at_once(cutting.all_seeds)

    def init(key: Key) -> Regions:
        return regions.empty(config.max_regions, config.max_items, dims)

    def propose(key: Key, state: Regions, num: int) -> tuple[Regions, Proposals]:
        key_draws, key_seeds = jax.random.split(key)
        draws = proposal_draws(key_draws, num, dims)
        explores = draws.mode < config.exploration
        mutates = ~explores & (draws.mode < config.exploration + config.mutation)
        mutates = mutates & (state.num_rows[0] > 0)
        progressing = in_proportion(draws.region, state.alp, state.num_regions)
        region = jnp.where(explores, 0, progressing)
        low, high = state.low[region], state.high[region]
        from_unit = jax.vmap(task_space.from_unit)
        worst = from_unit(jax.vmap(regions.worst_task, (None, 0))(state, region))
        mutated = worst + config.mutation_std * draws.noise
        mutated = jnp.clip(mutated, from_unit(low), from_unit(high))
        inside = from_unit(low + draws.inside * (high - low))
        tasks = jnp.where(mutates[:, None], mutated, inside)
        origin = jnp.where(explores, UNIFORM, region)
        return state, fresh_proposals(key_seeds, tasks).replace(origin=origin)

    def update(
        key: Key, state: Regions, episodes: Episodes, context: Context
    ) -> tuple[Regions, jax.Array]:
        order, num_valid = ring.valid_first(ring.usable(episodes))
        unit = jax.vmap(task_space.to_unit)(episodes.tasks)
        rows = jnp.concatenate([unit, episodes.returns[:, None]], axis=1)[order]

        def learn(index: jax.Array, state: Regions) -> Regions:
            present = index < num_valid
            state, leaf = regions.add(state, rows[index], present)
            is_full = regions.num_rows_held(state, leaf) > config.max_items
            has_room = state.num_regions + 2 <= config.max_regions
            needed = present & is_full & has_room
            return cut(state, leaf, needed, key, jnp.asarray(config.min_side, jnp.float32))

        return jax.lax.fori_loop(0, shared_max(num_valid), learn, state), jnp.int32(0)

    def report(state: Regions) -> RiacReport:
        used = jnp.arange(config.max_regions) < state.num_regions
        return RiacReport(
            low=jax.vmap(task_space.from_unit)(state.low),
            high=jax.vmap(task_space.from_unit)(state.high),
            alp=state.alp,
            leaf=used & (state.child == 0),
            num_regions=state.num_regions,
            num_episodes=state.num_rows[0],
        )

    return Teacher(
        name="riac",
        init=init,
        propose=propose,
        update=update,
        report=report,
        config=config,
    )
