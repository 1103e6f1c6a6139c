"""SPDL's updates: when they come, and of which episodes."""

import jax
import jax.numpy as jnp
import numpy as np
from self_paced_runs import SPACE, context, made_episodes, practise, to_flat

from jaxcurriculum import teachers
from jaxcurriculum.teachers import SelfPacedConfig
from jaxcurriculum.testing.compiling import quick_jit


def test_updates_come_at_the_documented_steps():
    teacher = teachers.self_paced(SPACE, SelfPacedConfig(offset_steps=25, update_every_steps=10))
    _, (reports, _) = quick_jit(practise(teacher, lambda axis, key, task: task[axis], 64, 1))(0)
    steps = np.arange(1, 65)
    np.testing.assert_array_equal(
        reports["num_updates"], np.maximum(steps // 10 - 2, 0)
    )  # at 30, 40, 50 and 60


def test_an_update_without_episodes_waits_and_a_round_of_two_periods_counts_once():
    teacher = teachers.self_paced(SPACE, SelfPacedConfig(offset_steps=10, update_every_steps=10))
    update = quick_jit(
        lambda state, episodes, steps: teacher.update(
            jax.random.key(0), state, episodes, context(steps)
        )[0]
    )
    both = made_episodes([[1.0, 2.0, 3.0], [2.0, 2.0, 5.0]], [1.0, 2.0])
    none, one = both.replace(valid=jnp.zeros(2, bool)), both.replace(valid=jnp.array([True, False]))
    state, seen = teacher.init(jax.random.key(0)), []
    for episodes, steps in [
        (one, 10),
        (none, 11),
        (one, 12),
        (both, 19),
        (none, 20),
        (one, 21),
        (both, 22),
        (both, 49),
        (both, 50),
    ]:
        state = update(state, episodes, steps)
        seen.append((int(state.num_updates), int(state.buffer.num_rows), int(state.num_returns)))
    assert seen == [
        (0, 1, 1),
        (0, 1, 1),
        (1, 0, 0),
        (1, 2, 2),
        (1, 2, 2),
        (2, 0, 0),
        (2, 2, 2),
        (3, 0, 0),
        (4, 0, 0),
    ]


def test_seeds_share_a_branch_and_take_it_only_when_an_update_is_due():
    teacher = teachers.self_paced(SPACE, SelfPacedConfig(offset_steps=10, update_every_steps=10))
    states = jax.vmap(teacher.init)(jax.random.split(jax.random.key(0), 2))
    episodes = made_episodes([[1.0, 2.0, 3.0]], [1.0])
    program = jax.make_jaxpr(
        jax.vmap(lambda state: teacher.update(jax.random.key(0), state, episodes, context(9))[0])
    )(states)
    assert [equation.primitive.name for equation in program.eqns].count("cond") == 1
    assert not any(equation.primitive.name == "while" for equation in program.eqns), (
        "the search stands inside the branch"
    )


def test_returns_that_are_not_finite_count_as_absent_and_missing_values_are_replaced():
    teacher = teachers.self_paced(
        SPACE, SelfPacedConfig(offset_steps=0, update_every_steps=10, alpha_offset=0)
    )
    start = teacher.init(jax.random.key(0))
    update = quick_jit(
        lambda episodes: teacher.update(jax.random.key(0), start, episodes, context(10))[0]
    )
    tasks = np.random.default_rng(0).uniform([0, 2, 1], [3, 2, 7], (6, 3))
    returns = jnp.array([1.0, jnp.nan, 3.0, -jnp.inf, 5.0, 4.0])
    kept, blank = jnp.isfinite(returns), jnp.full((6,), jnp.nan)
    masked = made_episodes(tasks, jnp.where(kept, returns, 7.0)).replace(valid=kept)
    assert jax.tree.all(
        jax.tree.map(jnp.array_equal, update(made_episodes(tasks, returns)), update(masked))
    )
    own = masked.critic.replace(initial_value=masked.returns, discounted_returns=masked.returns)
    critic = masked.replace(critic=own, returns=0 * masked.returns)
    some = own.replace(
        initial_value=blank.at[0].set(1.0), discounted_returns=blank.at[2].set(jnp.inf)
    )
    partly = masked.replace(critic=some)
    np.testing.assert_array_equal(
        to_flat(update(critic).gaussian), to_flat(update(masked).gaussian)
    )
    np.testing.assert_array_equal(
        to_flat(update(partly).gaussian), to_flat(update(masked).gaussian)
    )


def test_the_target_attracts_only_after_the_offset_and_with_a_positive_return():
    tasks = np.random.default_rng(0).uniform([0, 2, 1], [3, 2, 7], (50, 3))

    @quick_jit
    def after(discounted, num_updates, zeta):
        config = SelfPacedConfig(
            offset_steps=0,
            update_every_steps=10,
            alpha_offset=3,
            zeta=zeta,
            initial_mean=(0.0, 2.0, 7.0),
        )
        teacher = teachers.self_paced(SPACE, config)
        start = teacher.init(jax.random.key(0)).replace(num_updates=num_updates)
        episodes = made_episodes(tasks, tasks[:, 0], discounted_returns=jnp.full((50,), discounted))
        return teacher.update(jax.random.key(0), start, episodes, context(10))[0].gaussian

    free = to_flat(after(100.0, 2, 0.25))
    for arguments in ((100.0, 0, 0.25), (-5.0, 3, 0.25), (100.0, 3, 0.0)):
        np.testing.assert_array_equal(to_flat(after(*arguments)), free)
    assert np.max(np.abs(to_flat(after(100.0, 3, 0.25)) - free)) > 1e-3
