"""Teachers made of teachers: who proposed what, who hears of it, and in which units."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from listeners import KEY, SPACE, listener

from jaxcurriculum import Box, Context, Episodes, Teacher, fresh_proposals, teachers
from jaxcurriculum.testing import laws
from jaxcurriculum.testing.trials import made_up_episodes


def context(num_steps=1000):
    return Context(
        round=jnp.int32(0),
        num_steps=jnp.int32(num_steps),
        probe=lambda *_: pytest.fail("nobody probes"),
    )


def episodes_of(proposals, space=SPACE):
    made_up = made_up_episodes(KEY, space, proposals)
    return made_up.replace(
        valid=jnp.ones_like(made_up.valid),
        returns=jnp.ones_like(made_up.returns),
        tasks=proposals.tasks,
    )


def test_a_mix_has_its_shares_and_every_episode_goes_home():
    """Nested, with negative origins: shares 0.2, 0.8 0.25, 0.8 0.75."""
    origins = (-1, 5, -4)
    a, b, c = (listener(origin=origin) for origin in origins)
    teacher = teachers.mix(a, teachers.mix(b, c, 0.25), 0.2)
    state, proposals = teacher.propose(KEY, teacher.init(KEY), 20_000)
    state, probe_steps = teacher.update(KEY, state, episodes_of(proposals), context())
    heard = np.array([state[0], *state[1]])
    np.testing.assert_allclose(heard[:, 0] / 20_000, [0.2, 0.2, 0.6], atol=0.015)
    np.testing.assert_allclose(heard[:, 2] / heard[:, 0], origins)
    assert heard[:, 0].sum() == 20_000 and int(probe_steps) == 9


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_mix_of_everything_and_nothing_is_one_of_them(share):
    teacher = teachers.mix(teachers.random(SPACE), listener(), share)
    tasks = teacher.propose(KEY, teacher.init(KEY), 500)[1].tasks
    assert bool(jnp.all(tasks == jnp.array(SPACE.high)[None])) == (share == 0.0)


def test_the_share_of_a_mix_can_be_swept():
    def proposed(share):
        teacher = teachers.mix(listener(origin=0), listener(origin=1), share)
        return jnp.mean(teacher.propose(KEY, teacher.init(KEY), 5000)[1].origin == 0)

    np.testing.assert_allclose(
        jax.vmap(proposed)(jnp.array([0.0, 0.3, 1.0])), [0, 0.3, 1], atol=0.02
    )


def test_a_subspace_is_a_smaller_box_and_the_rest_stays():
    seen = []

    def make(space):
        seen.append(space)
        return listener(space)

    teacher = teachers.in_subspace(make, SPACE, {"spacing": 2.0, "angle": [-0.5, 0.5]})
    (inner,) = seen
    assert (inner.names, inner.low, inner.high) == (("height", "angle"), (0.0, -0.5), (3.0, 0.5))
    state, proposals = teacher.propose(KEY, teacher.init(KEY), 4)
    np.testing.assert_allclose(proposals.tasks, np.tile([3.0, 2.0, 0.5], (4, 1)))
    state, _ = teacher.update(KEY, state, episodes_of(proposals), context())
    np.testing.assert_allclose(state[3], 4 * 3.5)  # it hears of its own two axes


def test_probes_of_a_subspace_are_about_whole_tasks():
    asked = []

    def probe(key, tasks, seeds, num_episodes, deterministic):
        asked.append(np.asarray(tasks))
        return episodes_of(fresh_proposals(key, tasks))

    def make(space):
        def update(key, state, episodes, context):
            results = context.probe(key, jnp.full((2, 1), 0.5), jnp.zeros(2, jnp.uint32), 1, True)
            return results.tasks, jnp.int32(0)

        return Teacher(
            name="prober",
            init=lambda key: jnp.zeros((2, 1)),
            propose=listener(space).propose,
            update=update,
            report=lambda s: s,
        )

    teacher = teachers.in_subspace(make, SPACE, {"spacing": 2.0, "angle": 0.0})
    state, proposals = teacher.propose(KEY, teacher.init(KEY), 2)
    state, _ = teacher.update(
        KEY, state, episodes_of(proposals), Context(jnp.int32(0), jnp.int32(0), probe)
    )
    np.testing.assert_allclose(asked[0], [[0.5, 2.0, 0.0]] * 2)
    np.testing.assert_allclose(state, [[0.5]] * 2)


def named_corner(key, point):
    """A task that is no array, made of a point of the square."""
    return {"corner": jnp.round(point).astype(jnp.int32)}


def test_a_teacher_of_points_hears_of_its_points_as_long_as_they_are_remembered():
    square = Box(names=("x", "y"), low=(0.0, 0.0), high=(1.0, 1.0))
    make = lambda space: listener(space, origin=-4)
    teacher = teachers.in_latent_space(make, square, named_corner, memory=6)
    state, old = teacher.propose(KEY, teacher.init(KEY), 4)
    assert old.tasks["corner"].tolist() == [[1, 1]] * 4
    state, new = teacher.propose(KEY, state, 4)  # two of the old ones are forgotten
    both = jax.tree.map(lambda a, b: jnp.concatenate([a, b]), old, new)
    state, probe_steps = teacher.update(KEY, state, as_played(both), context())
    num, _, origins, coordinates = teacher.report(state)
    assert (num, origins / num, coordinates / num, probe_steps) == (6, -4, 2, 3)


def test_probes_in_latent_space_are_about_tasks_and_come_back_as_points():
    asked = []

    def probe(key, tasks, seeds, num_episodes, deterministic):
        asked.append(tasks["corner"].tolist())
        played = fresh_proposals(key, jax.tree.map(lambda x: jnp.repeat(x, 2, axis=0), tasks))
        return as_played(played)

    def make(space):
        def update(key, state, episodes, context):
            points = jnp.array([[0.1, 0.9], [0.8, 0.2]])
            return context.probe(key, points, jnp.zeros(2, jnp.uint32), 2, True).tasks, 0

        return dataclasses.replace(listener(space), init=lambda _: jnp.zeros((4, 2)), update=update)

    square = Box(names=("x", "y"), low=(0.0, 0.0), high=(1.0, 1.0))
    teacher = teachers.in_latent_space(make, square, named_corner)
    state, proposals = teacher.propose(KEY, teacher.init(KEY), 2)
    asking = Context(jnp.int32(0), jnp.int32(0), probe)
    state, _ = teacher.update(KEY, state, as_played(proposals), asking)
    assert asked == [[[0, 1], [1, 0]]]
    np.testing.assert_allclose(teacher.report(state), [[0.1, 0.9]] * 2 + [[0.8, 0.2]] * 2)


def as_played(proposals):
    num = proposals.seeds.shape[0]
    return Episodes.of(proposals, jnp.ones(num), jnp.ones(num, bool))


def test_returns_are_normalised_and_clipped():
    inner = listener()
    teacher = teachers.normalise_returns(inner, -150.0, 350.0)
    state, proposals = teacher.propose(KEY, teacher.init(KEY), 4)
    episodes = episodes_of(proposals).replace(returns=jnp.array([-200.0, 100.0, 350.0, 999.0]))
    np.testing.assert_allclose(
        teacher.update(KEY, state, episodes, context())[0][1], 0 + 0.5 + 1 + 1
    )
    kept = []
    listens = Teacher(
        name="x",
        init=inner.init,
        propose=inner.propose,
        update=lambda key, state, episodes, context: (
            kept.append(episodes.returns),
            (state, jnp.int32(0)),
        )[1],
        report=inner.report,
    )
    teachers.normalise_returns(listens, 0.0, 1.0).update(
        KEY, state, episodes.replace(returns=jnp.array([jnp.nan, jnp.inf, 3e38, -1, 2])), context()
    )
    np.testing.assert_array_equal(kept[0], np.array([np.nan, np.inf, 3e38, 0, 1], np.float32))


@pytest.mark.parametrize(
    ("cyclical", "expected"), [(False, [0, 0, 1, 2, 2, 2, 2]), (True, [0, 0, 1, 2, 2, 0, 0])]
)
def test_a_schedule_changes_at_its_steps(cyclical, expected):
    """Phases of 2, 1 and 2 rounds of 100 steps; a resting teacher hears nothing."""
    teacher = teachers.schedule(
        [(listener(origin=o), s) for o, s in ((-1, 200), (5, 50), (9, 250))], cyclical
    )
    state, phases = teacher.init(KEY), []
    for round in range(7):
        state, proposals = teacher.propose(KEY, state, 4)
        phases.append(int(proposals.origin[0] % 3))
        state, probe_steps = teacher.update(
            KEY, state, episodes_of(proposals), context(100 * (round + 1))
        )
        assert int(probe_steps) == 3
    assert phases == expected
    heard = np.array(state.teachers)
    np.testing.assert_array_equal(heard[:, 0], 4 * np.bincount(expected))
    np.testing.assert_array_equal(heard[:, 2] / heard[:, 0], [-1, 5, 9])


def test_a_schedule_counts_to_the_end_of_int32():
    """All but the last phase of one that is not cyclical must fit, and lengths may be whole
    floats.
    """
    teacher = teachers.schedule(
        [(listener(), 1e6), (listener(), 2**31 - 1 - 10**6), (listener(), 10**10)]
    )
    phase = lambda num_steps: int(
        teacher.update(KEY, teacher.init(KEY), nothing, context(num_steps))[0].phase
    )
    nothing = episodes_of(teacher.propose(KEY, teacher.init(KEY), 4)[1])
    assert [phase(n) for n in (0, 10**6 - 1, 10**6, 2**31 - 2, 2**31 - 1)] == [0, 0, 1, 1, 2]


def test_a_frozen_teacher_learns_nothing():
    inner = teachers.adr(SPACE, teachers.AdrConfig(initial_mean=(1.0, 2.0, 0.0)))
    start = inner.init(KEY)
    teacher = teachers.frozen(inner, start)
    state, proposals = teacher.propose(KEY, teacher.init(KEY), 8)
    state, _ = teacher.update(KEY, state, episodes_of(proposals), context())
    laws.assert_equal(teacher.propose(KEY, state, 8)[1], inner.propose(KEY, start, 8)[1])


def test_bounds_of_returns_may_be_large_integers():
    teacher = teachers.normalise_returns(listener(), 0, 2**32)
    state, proposals = teacher.propose(KEY, teacher.init(KEY), 4)
    episodes = episodes_of(proposals).replace(returns=jnp.full(4, 2.0**31))
    np.testing.assert_allclose(teacher.update(KEY, state, episodes, context())[0][1], 4 * 0.5)
