"""Setter-Solver: a setter proposes tasks of a wanted feasibility f, a judge learns to tell it.

    judge:   min  cross entropy of solved given $sigmoid(J(g))$
    setter:  min  $E[-log S(g + U(0, noise) | f')]$    validity: what was solved stays likely
                  $+ E[(J(S(z, f)) - logit f)^2]$      feasibility: the judge agrees with $f$
                  $+ E[log S(S(z, f) | f)]$            coverage: tasks spread widely

with $f$ and $f'$ uniform on (0, 1), $z$ normal, and $S(g | f)$ the setter's own density, which a
normalising flow gives (`flow.py`).

Source: S. Racaniere, A. Lampinen, A. Santoro, D. Reichert, V. Firoiu, T. Lillicrap, "Automated
curriculum generation through setter-solver interactions", ICLR 2020. Settings: C. Romac et al.,
"TeachMyAgent", ICML 2021.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax import struct

from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.device.lanes import shared_max
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree, fresh_proposals
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.spaces import Box
from jaxcurriculum.teachers.parts import ring
from jaxcurriculum.teachers.parts.flow import Flow
from jaxcurriculum.teachers.parts.sampling import free_axes, from_free

# solved tasks are kept so far from the faces of the unit cube, where a sigmoid's density ends
EDGE = 1e-4
LEAST_FEASIBILITY = 1e-8


@dataclasses.dataclass(frozen=True, kw_only=True)
class SetterSolverConfig(Config):
    """The defaults are the settings of TeachMyAgent, 2021."""

    update_every: int = field(
        50,
        low=1,
        help="episodes between two gradient steps, and episodes in one",
    )
    noise: Swept = field(
        0.1,
        low=0,
        high=1,
        help="largest shift of a solved task in the validity term, fraction of each axis' range",
    )
    learning_rate: Swept = field(3e-4, low=0, high=1, help="of Adam, both networks")
    num_blocks: int = field(
        3,
        low=1,
        high=100,  # each is written out in the compiled program
        help="of three couplings each",
    )
    setter_hidden: int = field(64, low=1, help="width of the couplings' networks")
    judge_hidden: tuple[int, ...] = field(
        (64, 64, 64),
        low=1,
        help="widths of the judge's hidden layers",
    )

    @classmethod
    def teach_my_agent(cls) -> SetterSolverConfig:
        """The tuned settings of TeachMyAgent, 2021 (the defaults)."""
        return cls()


class Judge(nn.Module):
    """The logit of a task's feasibility, [], from its place in the unit cube, [dims]."""

    hidden: tuple[int, ...]

    @nn.compact
    def __call__(self, point: jax.Array) -> jax.Array:
        for width in self.hidden:
            point = nn.relu(nn.Dense(width)(point))
        return nn.Dense(1)(point)[0]


class SetterSolverState(struct.PyTreeNode):
    """Two networks with their optimisers, and the latest episodes."""

    setter: PyTree
    judge: PyTree
    setter_moments: PyTree
    judge_moments: PyTree
    # rows (place in the unit cube of the free axes, solved), the latest update_every
    episodes: ring.History
    num_waiting: jax.Array  # [], int32, episodes since the last gradient step
    num_updates: jax.Array  # [], int32


def setter_solver(task_space: Box, config: SetterSolverConfig | None = None) -> Teacher:
    """A teacher that asks its setter for tasks of a feasibility that is uniform on (0, 1).

    Axes of zero width are left out. A task is solved or not; its return does not count. With the
    defaults a seed's state takes 1.9 MB on two axes and 2.9 MB on three (six and nine couplings,
    each with Adam's two moments), hardly more on others.

    Differs from the paper: one network gives shift and scale of a coupling, and couplings that
    repeat the one before are left out (in 2-D a third of them). A batch of episodes is followed by
    one gradient step at most, on the latest `update_every`. The paper's desirability (a critic of
    which tasks are wanted) and its conditions on images are not there, as in TeachMyAgent. Differs
    from the code of TeachMyAgent: noise of the feasibility and coverage terms is drawn afresh, as
    in the paper; the judge has all of its hidden layers; without a solved episode the validity term
    is 0.

    >>> space = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0))
    >>> teacher = setter_solver(space, SetterSolverConfig(setter_hidden=8))
    >>> teacher.propose(jax.random.key(1), teacher.init(jax.random.key(0)), 4)[1].tasks.shape
    (4, 2)
    """
    check_kind("setter_solver.task_space", task_space, Box)
    config = given(config, SetterSolverConfig)
    axes = free_axes(task_space)
    setter = Flow(dims=len(axes), hidden=config.setter_hidden, num_blocks=config.num_blocks)
    judge = Judge(hidden=tuple(config.judge_hidden))
    adam = optax.adam(config.learning_rate)
    gradients = _gradients(setter, judge, config)

    def init(key: Key) -> SetterSolverState:
        key_setter, key_judge = jax.random.split(key)
        point = jnp.zeros((len(axes),))
        setter_params = setter.init(key_setter, point, jnp.float32(0.5))
        judge_params = judge.init(key_judge, point)
        return SetterSolverState(
            setter=setter_params,
            judge=judge_params,
            setter_moments=adam.init(setter_params),
            judge_moments=adam.init(judge_params),
            episodes=ring.empty(len(axes) + 1, config.update_every),
            num_waiting=jnp.int32(0),
            num_updates=jnp.int32(0),
        )

    def propose(
        key: Key, state: SetterSolverState, num: int
    ) -> tuple[SetterSolverState, Proposals]:
        key_noise, key_feasibility, key_seeds = jax.random.split(key, 3)
        noise = jax.random.normal(key_noise, (num, len(axes)))
        feasibility = _feasibility(key_feasibility, num)
        draw: Any = jax.vmap(setter.apply, in_axes=(None, 0, 0))
        points, _ = draw(state.setter, noise, feasibility)
        tasks = jax.vmap(lambda point: from_free(task_space, point))(points)
        return state, fresh_proposals(key_seeds, tasks)

    def update(
        key: Key, state: SetterSolverState, episodes: Episodes, context: Context
    ) -> tuple[SetterSolverState, jax.Array]:
        order, num_valid = ring.valid_first(ring.usable(episodes))
        points = jax.vmap(task_space.to_unit)(episodes.tasks[order])[:, axes]
        solved = episodes.solved[order][:, None].astype(jnp.float32)
        rows = jnp.concatenate([points, solved], axis=1).T
        num_waiting = state.num_waiting + num_valid
        held = ring.insert(state.episodes, rows, num_valid)
        state = state.replace(episodes=held, num_waiting=num_waiting)
        due = num_waiting >= config.update_every

        def learn(_, state: SetterSolverState) -> SetterSolverState:
            learned = step(key, state)
            return jax.tree.map(lambda new, old: jnp.where(due, new, old), learned, state)

        # A loop of no turn leaves the networks where they are; a branch would copy them at every
        # round.
        num_steps = shared_max(due.astype(jnp.int32))
        return jax.lax.fori_loop(0, num_steps, learn, state), jnp.int32(0)

    def step(key: Key, state: SetterSolverState) -> SetterSolverState:
        of_setter, of_judge = gradients(key, state)
        change, setter_moments = adam.update(of_setter, state.setter_moments)
        judge_change, judge_moments = adam.update(of_judge, state.judge_moments)
        return state.replace(
            setter=optax.apply_updates(state.setter, change),
            judge=optax.apply_updates(state.judge, judge_change),
            setter_moments=setter_moments,
            judge_moments=judge_moments,
            num_waiting=jnp.zeros_like(state.num_waiting),
            num_updates=state.num_updates + 1,
        )

    def report(state: SetterSolverState) -> dict[str, jax.Array]:
        num_held = jnp.minimum(state.episodes.num_rows, config.update_every)
        num_solved = jnp.sum(state.episodes.values[-1])  # slots not yet written are 0
        return {
            "success_rate": num_solved / jnp.maximum(num_held, 1),
            "num_updates": state.num_updates,
            "num_episodes": state.episodes.num_rows,
        }

    return Teacher(
        name="setter-solver",
        init=init,
        propose=propose,
        update=update,
        report=report,
        config=config,
    )


def _feasibility(key: Key, num: int) -> jax.Array:
    return jax.random.uniform(key, (num,), minval=LEAST_FEASIBILITY, maxval=1.0)


def _gradients(setter: Flow, judge: Judge, config: SetterSolverConfig):
    """(key, state) -> gradients of both networks' losses on the latest episodes."""
    num = config.update_every

    def density_of_one(params: PyTree, point: jax.Array, f: jax.Array) -> Any:
        noise_and_density: Any = setter.apply(params, point, f, method=Flow.inverse)
        return noise_and_density[1]

    density: Any = jax.vmap(density_of_one, in_axes=(None, 0, 0))
    draw: Any = jax.vmap(setter.apply, in_axes=(None, 0, 0))
    logits: Any = jax.vmap(judge.apply, in_axes=(None, 0))

    def setter_loss(params: PyTree, state: SetterSolverState, key: Key) -> jax.Array:
        key_shift, key_valid, key_noise, key_wanted = jax.random.split(key, 4)
        points, solved = state.episodes.values[:-1].T, state.episodes.values[-1]
        shift = config.noise * jax.random.uniform(key_shift, points.shape)
        near = jnp.clip(points + shift, EDGE, 1 - EDGE)
        likely = density(params, near, _feasibility(key_valid, num))
        log_likelihood = jnp.sum(jnp.where(solved > 0, likely, 0.0))
        validity = -log_likelihood / jnp.maximum(jnp.sum(solved), 1.0)
        wanted = _feasibility(key_wanted, num)
        noise = jax.random.normal(key_noise, points.shape)
        proposed, log_density = draw(params, noise, wanted)
        wanted_logit = jnp.log(wanted) - jnp.log1p(-wanted)
        error = logits(state.judge, proposed) - wanted_logit
        feasibility = jnp.mean(jnp.square(error))
        return validity + feasibility + jnp.mean(log_density)

    def judge_loss(params: PyTree, state: SetterSolverState) -> jax.Array:
        points, solved = state.episodes.values[:-1].T, state.episodes.values[-1]
        return jnp.mean(optax.sigmoid_binary_cross_entropy(logits(params, points), solved))

    def gradients(key: Key, state: SetterSolverState) -> tuple[PyTree, PyTree]:
        of_setter = jax.grad(setter_loss)(state.setter, state, key)
        return of_setter, jax.grad(judge_loss)(state.judge, state)

    return gradients
