"""The five challenges: what the teacher sees, what the student really practises, and what
nobody is told.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import Box, LoopConfig, challenges, make_loop, teachers
from jaxcurriculum.records import fresh_proposals, random_seeds
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.rollout.evaluate import attempt
from jaxcurriculum.students import PpoConfig, ppo
from jaxcurriculum.students.simulated import (
    AbilitiesConfig,
    SkillGraphConfig,
    ToyGridConfig,
    abilities,
    skill_graph,
    toy_grid,
    toy_grid_test_tasks,
)
from jaxcurriculum.testing import laws, probes
from jaxcurriculum.testing.compiling import quick_jit
from jaxcurriculum.testing.trials import EnvironmentTrial

GRID = ToyGridConfig(cells=4, episodes_per_round=600)
SMALL_PPO = (
    PpoConfig(hidden=(8,), minibatch_size=32, num_epochs=1),
    RolloutConfig(num_envs=4, num_steps=16, pool_size=32),
)


def proposals_in(space, num, key=0):
    key_tasks, key_seeds = jax.random.split(jax.random.key(key))
    return fresh_proposals(key_seeds, jax.vmap(space.sample)(jax.random.split(key_tasks, num)))


def test_unfeasible_tasks_teach_nothing_and_return_the_lowest():
    """The grid learns what it would from the feasible tasks alone; the teacher gets its own
    tasks back.
    """
    plain = toy_grid(GRID)
    student = challenges.mostly_unfeasible(plain, challenges.MostlyUnfeasibleConfig(lowest=-1.0))
    assert (student.task_space.low, student.task_space.high) == ((0.0, 0.0), (3.0, 1.0))
    proposals = proposals_in(student.task_space, 600)
    feasible = np.asarray(proposals.tasks[:, 0] <= 1)
    state, episodes = quick_jit(student.train)(
        jax.random.key(0), student.init(jax.random.key(0)), proposals
    )
    num = int(feasible.sum())
    alone = toy_grid(ToyGridConfig(cells=4, episodes_per_round=num))
    expected_state, expected = quick_jit(alone.train)(
        jax.random.key(0),
        state.replace(competence=jnp.zeros(16)),
        proposals_of(proposals, feasible),
    )
    assert 150 < num < 250 and float(expected_state.competence[0]) > 5
    np.testing.assert_array_equal(state.competence, expected_state.competence)
    np.testing.assert_array_equal(episodes.tasks, proposals.tasks)
    np.testing.assert_array_equal(episodes.returns[feasible], expected.returns)
    np.testing.assert_array_equal(episodes.returns[~feasible], -1)
    master = state.replace(competence=jnp.full((16,), 100.0))
    tests = student.evaluate(
        jax.random.key(0),
        master,
        jnp.array([[0.5, 0.5], [1.5, 0.5]]),
        jnp.arange(2, dtype=jnp.uint32),
        2,
        True,
    )
    assert tests.returns.tolist() == [1, 1, -1, -1] and tests.solved.tolist() == [
        True,
        True,
        False,
        False,
    ]


def proposals_of(proposals, chosen):
    return jax.tree.map(lambda leaf: leaf[np.flatnonzero(chosen)], proposals)


def test_trivial_tasks_are_the_nearest_original_ones():
    plain = toy_grid(GRID)
    student = challenges.mostly_trivial(plain)
    assert (student.task_space.low, student.task_space.high) == ((-1.0, 0.0), (1.0, 1.0))
    proposals = proposals_in(student.task_space, 600)
    state, episodes = quick_jit(student.train)(
        jax.random.key(0), student.init(jax.random.key(0)), proposals
    )
    clipped = proposals.replace(tasks=jnp.clip(proposals.tasks, 0.0, 1.0))
    expected_state, expected = quick_jit(plain.train)(
        jax.random.key(0), plain.init(jax.random.key(0)), clipped
    )
    np.testing.assert_array_equal(state.competence, expected_state.competence)
    np.testing.assert_array_equal(episodes.returns, expected.returns)
    np.testing.assert_array_equal(episodes.tasks, proposals.tasks)


def test_stretching_keeps_names_units_and_the_logarithm():
    space = Box(
        names=("rate", "height"),
        low=(1.0, -1.0),
        high=(10.0, 1.0),
        units=("1/s", "m"),
        log=(True, False),
    )
    student = with_space(space)
    wider = challenges.mostly_unfeasible(
        student, challenges.MostlyUnfeasibleConfig(factor=2.0, side="low")
    ).task_space
    np.testing.assert_allclose((wider.low, wider.high), ((0.1, -1.0), (10.0, 1.0)))
    wider = challenges.mostly_trivial(
        student, challenges.MostlyTrivialConfig(axis=1, factor=1.5)
    ).task_space
    assert (wider.low, wider.high) == ((1.0, -2.0), (10.0, 1.0)) and (wider.units, wider.log) == (
        space.units,
        space.log,
    )


def with_space(space):
    return dataclasses.replace(toy_grid(ToyGridConfig(cells=4)), task_space=space)


@pytest.mark.parametrize("landscape", [0, 1, 2])
def test_rugged_maps_are_a_bijection_of_whole_intervals(landscape):
    """Along each axis the four quarters are permuted, each moved as a piece; a constant axis
    stays.
    """
    space = Box(
        names=("a", "b", "constant"),
        low=(-1.0, 1.0, 2.0),
        high=(3.0, 81.0, 2.0),
        log=(False, True, False),
    )
    to_original, to_view = (
        quick_jit(jax.vmap(move)) for move in challenges.rugged_maps(space, landscape)
    )
    line = (np.arange(1000) + 0.5) / 1000
    views = jax.vmap(space.from_unit)(
        jnp.array(np.stack([line, line, 0 * line], axis=1), jnp.float32)
    )
    originals = to_original(views)
    np.testing.assert_allclose(to_view(originals), views, rtol=2e-5, atol=1e-5)
    np.testing.assert_allclose(to_original(to_view(views)), views, rtol=2e-5, atol=1e-5)
    unit = np.asarray(jax.vmap(space.to_unit)(originals))
    for axis in (0, 1):
        quarters = unit[:, axis].reshape(4, 250)
        np.testing.assert_allclose(np.diff(quarters, axis=1), 1e-3, atol=2e-5)
        np.testing.assert_allclose(np.sort(unit[:, axis]), line, atol=4e-5)
    np.testing.assert_array_equal(originals[:, 2], 2.0)


def test_landscapes_differ_by_number_and_axis_and_edges_stay_where_they_belong():
    space = toy_grid(GRID).task_space
    corners = jnp.array([[0.0, 0.0], [0.25, 0.25], [0.5, 0.5], [0.75, 0.75], [1.0, 1.0]])
    shuffle = quick_jit(jax.vmap(lambda n: jax.vmap(challenges.rugged_maps(space, n)[0])(corners)))
    shuffled = list(np.asarray(shuffle(jnp.arange(8))))
    assert len({tuple(np.floor(x[:4] * 4).ravel()) for x in shuffled}) > 5
    assert any(not np.allclose(x[:, 0], x[:, 1]) for x in shuffled)
    for x in shuffled:
        assert sorted(np.floor(x[:4, 0] * 4)) == [0, 1, 2, 3] and np.floor(x[4, 0] * 4) == np.floor(
            x[3, 0] * 4
        )
    np.testing.assert_allclose(
        jax.vmap(challenges.rugged_maps(space, 3)[0])(corners), shuffled[3], rtol=1e-6
    )


def test_the_default_landscape_is_the_first_that_moves_every_quarter():
    """On one to four axes, so that learning does not start where the teacher would look for it
    anyway.
    """
    middles = (jnp.arange(4) + 0.5) / 4
    space = Box(names="abcd", low=(0.0,) * 4, high=(1.0,) * 4)
    moved = lambda number: jax.vmap(challenges.rugged_maps(space, number)[0])(
        jnp.tile(middles[:, None], 4)
    )
    stays = jnp.any(
        jnp.abs(quick_jit(jax.vmap(moved))(jnp.arange(30)) - middles[None, :, None]) < 0.1,
        axis=(1, 2),
    )
    assert np.flatnonzero(~np.asarray(stays))[0] == challenges.RuggedConfig().landscape
    for dims in (1, 2, 3):
        fewer = Box(names="abcd"[:dims], low=(0.0,) * dims, high=(1.0,) * dims)
        here = jax.vmap(challenges.rugged_maps(fewer)[0])(jnp.tile(middles[:, None], dims))
        np.testing.assert_allclose(
            here, moved(challenges.RuggedConfig().landscape)[:, :dims], atol=1e-6
        )


def test_a_rugged_student_is_tested_on_the_original_tasks():
    """A test task goes into the view and comes out as itself, through the loop, in whichever
    landscape, drawn for each seed too.
    """
    plain, tasks = toy_grid(GRID), jnp.array(toy_grid_test_tasks(GRID))
    competence = jnp.arange(16, dtype=jnp.float32) * 6
    student = challenges.rugged(plain, challenges.RuggedConfig(landscape=5))
    views = jax.vmap(challenges.rugged_maps(plain.task_space, 5)[1])(tasks)
    loop = make_loop(teachers.random(student.task_space), student, views, LoopConfig())
    state = loop.init(jax.random.key(0))
    test = student.evaluate(
        jax.random.key(0),
        state.student.replace(competence=competence),
        loop.test_tasks,
        jnp.arange(16),
        1,
        True,
    )
    np.testing.assert_allclose(test.returns, competence / 100, rtol=1e-6)
    np.testing.assert_array_equal(test.tasks, views)

    one_each = challenges.diverse(
        lambda number: challenges.rugged(plain, challenges.RuggedConfig(landscape=number)),
        lambda key: jax.random.randint(key, (), 0, 1000),
    )

    def returns(key):
        state = one_each.init(key)
        views = jax.vmap(challenges.rugged_maps(plain.task_space, state.parameters)[1])(tasks)
        learner = state.replace(student=state.student.replace(competence=competence))
        return one_each.evaluate(key, learner, views, jnp.arange(16), 1, True).returns, views

    both, views = quick_jit(jax.vmap(returns))(jax.random.split(jax.random.key(1), 4))
    np.testing.assert_allclose(both, np.broadcast_to(competence / 100, (4, 16)), rtol=1e-6)
    assert len(np.unique(np.asarray(views).reshape(4, -1), axis=0)) == 4


def test_environments_are_wrapped_themselves():
    """The counting environment's length and return tell the task that was really played."""
    env = probes.counting()
    unfeasible = challenges.mostly_unfeasible(env, challenges.MostlyUnfeasibleConfig(lowest=-7.0))
    tasks, seeds = jnp.array([[0.3], [1.0], [1.1], [2.9]]), random_seeds(jax.random.key(0), 4)
    policy = lambda key, memory, obs, first: (memory, jnp.zeros((obs.shape[0], 1)), None)
    play = quick_jit(
        lambda env, tasks: attempt(jax.random.key(0), env, policy, (), tasks, seeds, 1),
        static_argnums=0,
    )
    wide, own = play(unfeasible, tasks), play(env, jnp.clip(tasks, 0, 1))
    assert wide.lengths.tolist() == [own.lengths[0], own.lengths[1], 1, 1]
    np.testing.assert_array_equal(wide.returns, [own.returns[0], own.returns[1], -7.0, -7.0])
    np.testing.assert_array_equal(wide.tasks, tasks)
    trivial = play(challenges.mostly_trivial(env), -tasks)
    np.testing.assert_array_equal(trivial.lengths, 1)
    laws.keeps_its_contract(EnvironmentTrial(unfeasible))


def test_ppo_in_a_rugged_landscape_reports_the_tasks_of_the_teacher():
    env = probes.counting()
    student = ppo(challenges.rugged(env, challenges.RuggedConfig(landscape=2)), *SMALL_PPO)
    _, episodes = quick_jit(student.train)(
        jax.random.key(0),
        quick_jit(student.init)(jax.random.key(0)),
        proposals_in(env.task_space, 32),
    )
    originals = jax.vmap(challenges.rugged_maps(env.task_space, 2)[0])(episodes.tasks)
    lengths = np.where(episodes.valid, 1 + np.floor(7 * originals[:, 0]), episodes.lengths)
    assert episodes.valid.sum() > 8
    np.testing.assert_array_equal(episodes.lengths, lengths)


@pytest.mark.parametrize(
    ("kind", "every"), [("skill-graph", 3), ("skill-graph", 2.5), ("ppo", 2.5)]
)
def test_a_forgetting_student_begins_anew_exactly_on_time(kind, every):
    """The same as a loop that replaces the whole state by a fresh one before rounds 3 and 6 (or
    3, 5 and 8), for three seeds.
    """
    plain = (
        ppo(probes.target(), *SMALL_PPO)
        if kind == "ppo"
        else skill_graph(SkillGraphConfig(episodes_per_round=8))
    )
    student = challenges.forgetting(
        plain, challenges.ForgettingConfig(every=int(every * plain.steps_per_round))
    )
    train, expected_train = (
        quick_jit(jax.vmap(each.train, in_axes=(0, 0, None))) for each in (student, plain)
    )
    keys = jax.random.split(jax.random.key(0), 3)
    begin = quick_jit(
        jax.vmap(lambda life: jax.vmap(lambda key: plain.init(jax.random.fold_in(key, life)))(keys))
    )(jnp.arange(4))
    life, resets = 0, []
    state, expected = (
        quick_jit(jax.vmap(student.init))(keys),
        jax.tree.map(lambda leaf: leaf[0], begin),
    )
    for round in range(9):
        if round >= (life + 1) * every:
            life, expected = life + 1, jax.tree.map(lambda leaf, life=life: leaf[life + 1], begin)
            resets.append(round)
        keys_round, proposals = (
            jax.random.split(jax.random.key(round), 3),
            proposals_in(plain.task_space, plain.num_proposals, round),
        )
        state, episodes = train(keys_round, state, proposals)
        expected, expected_episodes = expected_train(keys_round, expected, proposals)
        laws.assert_close(state.student, expected, 1e-6)
        laws.assert_close(episodes.returns, expected_episodes.returns, 1e-6)
    assert (
        resets == ([3, 6] if every == 3 else [3, 5, 8])
        and state.num_resets.tolist() == [len(resets)] * 3
    )


def test_diverse_seeds_are_the_students_that_their_parameters_make():
    make = lambda parameters: abilities(AbilitiesConfig(episodes_per_round=50, **parameters))
    sample = lambda key: {"growth": jax.random.uniform(key, (), maxval=0.2), "slope": 2.0}
    student = challenges.diverse(make, sample)
    states = quick_jit(jax.vmap(student.init))(jax.random.split(jax.random.key(0), 3))
    proposals = proposals_in(student.task_space, 50)
    after, episodes = quick_jit(jax.vmap(student.train, in_axes=(None, 0, None)))(
        jax.random.key(1), states, proposals
    )
    for seed in range(2):
        own = make({"growth": float(states.parameters["growth"][seed]), "slope": 2.0})
        expected, expected_episodes = quick_jit(own.train)(
            jax.random.key(1), own.init(jax.random.key(0)), proposals
        )
        np.testing.assert_allclose(after.student.ability[seed], expected.ability, rtol=1e-5)
        np.testing.assert_array_equal(episodes.returns[seed], expected_episodes.returns)
    assert len(np.unique(after.student.ability[:, 0])) == 3
    loop = make_loop(
        teachers.random(student.task_space),
        student,
        proposals.tasks[:2],
        LoopConfig(rounds_per_evaluation=2),
    )
    laws.a_checkpoint_in_the_middle_changes_nothing(loop)


def test_diverse_policies_learn_at_rates_of_their_own():
    """One with rate 0 keeps its networks, in the same program as one that learns."""
    make = lambda rate: ppo(
        probes.target(), dataclasses.replace(SMALL_PPO[0], learning_rate=rate), SMALL_PPO[1]
    )
    student = challenges.diverse(make, lambda key: jnp.where(jax.random.bernoulli(key), 0.0, 0.01))
    states = quick_jit(jax.vmap(student.init))(jax.random.split(jax.random.key(0), 6))
    train = quick_jit(jax.vmap(student.train, in_axes=(None, 0, None)))
    after, _ = train(
        jax.random.key(0), states, proposals_in(student.task_space, student.num_proposals)
    )
    moved = sum(
        jnp.abs(a - b).reshape(6, -1).sum(1)
        for a, b in zip(
            *map(jax.tree.leaves, (after.student.learner.params, states.student.learner.params))
        )
    )
    np.testing.assert_array_equal(moved > 0, states.parameters > 0)
    assert 0 < np.count_nonzero(states.parameters) < 6
    one = jax.tree.map(lambda leaf: leaf[0], after)
    obs, first = jnp.zeros((1, 1)), jnp.ones(1, bool)
    _, action = student.act(jax.random.key(0), one, student.memory(1), obs, first, True)
    assert action.shape == (1, 1)


@pytest.mark.parametrize(
    ("message", "make"),
    [
        ("MostlyUnfeasibleConfig.factor", lambda: challenges.MostlyUnfeasibleConfig(factor=0.5)),
        ("MostlyTrivialConfig.side", lambda: challenges.MostlyTrivialConfig(side="left")),
        ("RuggedConfig.intervals", lambda: challenges.RuggedConfig(intervals=0)),
        ("RuggedConfig.landscape", lambda: challenges.RuggedConfig(landscape=-1)),
        (
            "RuggedConfig.landscape must be an integer from 0 to 2147483647",
            lambda: challenges.RuggedConfig(landscape=2**32),
        ),
        (
            "RuggedConfig.intervals must be an integer from 1 to 1000",
            lambda: challenges.RuggedConfig(intervals=3_000_000_000),
        ),
        ("RuggedConfig.intervals", lambda: challenges.rugged_maps(toy_grid(GRID).task_space, 0, 0)),
        (
            "ForgettingConfig.every must be an integer from 1 to 2147483647",
            lambda: challenges.ForgettingConfig(every=2**31),
        ),
        ("ForgettingConfig.every must be an integer", lambda: challenges.ForgettingConfig(every=0)),
        (
            "ForgettingConfig.every must be at least a round",
            lambda: challenges.forgetting(toy_grid(GRID), challenges.ForgettingConfig(every=9)),
        ),
        (
            "axis must be one of the 2 axes",
            lambda: challenges.mostly_trivial(
                toy_grid(GRID), challenges.MostlyTrivialConfig(axis=2)
            ),
        ),
        (
            "always 2.0",
            lambda: challenges.mostly_trivial(
                with_space(Box(names=("x",), low=(2.0,), high=(2.0,)))
            ),
        ),
        ("wrap the environment", lambda: challenges.rugged(ppo(probes.target(), *SMALL_PPO))),
        (
            "lowest must not count as solved",
            lambda: challenges.mostly_unfeasible(
                probes.target(), challenges.MostlyUnfeasibleConfig(lowest=1.0)
            ),
        ),
    ],
)
def test_bad_uses_are_named(message, make):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("message", "make"),
    [
        (
            r"config must be of the type MostlyUnfeasibleConfig, got MostlyTrivialConfig\(",
            lambda: challenges.mostly_unfeasible(toy_grid(GRID), challenges.MostlyTrivialConfig()),
        ),
        (
            "config must be of the type RuggedConfig, got <class",
            lambda: challenges.rugged(toy_grid(GRID), challenges.RuggedConfig),
        ),
        (
            "mostly_trivial.role must be an Environment or a Student, got None",
            lambda: challenges.mostly_trivial(None),
        ),
        (
            "forgetting.student must be of the type Student, got None",
            lambda: challenges.forgetting(None),
        ),
        (
            r"forgetting.student must be of the type Student, got Environment\(",
            lambda: challenges.forgetting(probes.target()),
        ),
        ("diverse.make must be a function, got 3", lambda: challenges.diverse(3, 4)),
        (
            "What diverse.make returns must be of the type Student, got 3",
            lambda: challenges.diverse(lambda _: 3, lambda key: 0),
        ),
        (
            r"rugged_maps.space must be of the type Box, got Student\(",
            lambda: challenges.rugged_maps(toy_grid(GRID)),
        ),
    ],
)
def test_what_is_no_role_or_configuration_is_named(message, make):
    with pytest.raises(TypeError, match=message):
        make()
