"""The editor of mazes: against rules in NumPy, and what becomes of clashes."""

import dataclasses

import jax
import numpy as np
import pytest

from jaxcurriculum import envs
from jaxcurriculum.testing import laws
from jaxcurriculum.testing.compiling import quick_jit
from jaxcurriculum.testing.trials import EnvironmentTrial

DCD, MINIMAX = envs.MazeEditorConfig.dcd(), envs.MazeEditorConfig.minimax()
JAXUED = dataclasses.replace(envs.MazeEditorConfig.jaxued(), num_walls=None)
WALLS = envs.Mazes(num_walls=6)
SIZE = 13


def build(editor, actions, key):
    """Tasks of many builders at once, actions [num, moves], and what they saw before each move."""

    def one(key, actions):
        key_reset, key_steps = jax.random.split(key)
        state, timestep = editor.env.reset(key_reset, ())

        def step(carry, inputs):
            key, action = inputs
            state, obs = carry
            state, timestep = editor.env.step(key, (), state, action)
            return (state, timestep.obs), obs

        keys = jax.random.split(key_steps, editor.num_moves)
        (state, _), seen = jax.lax.scan(step, (state, timestep.obs), (keys, actions))
        return editor.finish(state), seen

    keys = jax.random.split(key, len(actions))
    return jax.tree.map(np.asarray, quick_jit(jax.vmap(one))(keys, actions))


def cells(mazes, name):
    x, y = getattr(mazes, name).T
    return y * SIZE + x


@pytest.mark.parametrize(("config", "num_walls"), [(DCD, 60), (JAXUED, 0)])
def test_what_is_built_is_a_maze(config, num_walls):
    mazes = envs.Mazes(num_walls=num_walls)
    editor = envs.maze_editor(mazes, config)
    assert editor.num_moves == num_walls + (3 if config is JAXUED else 2)
    actions = np.random.default_rng(0).integers(SIZE**2, size=(300, editor.num_moves))
    actions[:50] = 7  # everybody on one cell
    built, _ = build(editor, actions, jax.random.key(1))
    assert quick_jit(jax.vmap(mazes.contains))(built).all()


@pytest.mark.parametrize("config", [DCD, MINIMAX], ids=["dcd", "minimax"])
def test_walls_first_are_cleared_by_goal_and_agent(config):
    """The rule in NumPy; dcd's first move also says how many walls there are, and the last ones
    then do nothing.
    """
    editor = envs.maze_editor(WALLS, config)
    actions = np.random.default_rng(0).integers(24, size=(400, editor.num_moves))
    actions[:, 0] = np.arange(400) % SIZE**2
    built, _ = build(editor, actions, jax.random.key(1))
    for i, chosen in enumerate(actions):
        count = int(chosen[0] / SIZE**2 * 6) if config is DCD else 6
        goal, agent = chosen[count : count + 2]
        expected = np.zeros(SIZE**2, bool)
        expected[chosen[:count]] = True
        expected[goal] = False
        if agent != goal:
            assert cells(built, "agent")[i] == agent
            expected[agent] = False
        assert cells(built, "goal")[i] == goal != cells(built, "agent")[i]
        np.testing.assert_array_equal(built.walls[i].reshape(-1), expected)
    assert set(built.direction) == {0, 1, 2, 3}


def test_walls_last_are_flipped_beside_goal_and_agent():
    """jaxued's rule in NumPy: goal, direction, agent, then walls."""
    editor = envs.maze_editor(WALLS, JAXUED)
    actions = np.random.default_rng(0).integers(12, size=(400, editor.num_moves))
    built, _ = build(editor, actions, jax.random.key(1))
    for i, chosen in enumerate(actions):
        goal, direction, agent, *walls = chosen
        stands = cells(built, "agent")[i]
        expected = np.zeros(SIZE**2, bool)
        for wall in walls:
            expected[wall] ^= wall not in (goal, stands)
        assert stands == agent or (agent == goal and stands != goal)
        assert cells(built, "goal")[i] == goal and built.direction[i] == direction % 4
        np.testing.assert_array_equal(built.walls[i].reshape(-1), expected)


@pytest.mark.parametrize("config", [MINIMAX, JAXUED])
def test_the_builder_sees_what_stands_and_which_move_it_is(config):
    editor = envs.maze_editor(WALLS, config)
    num = editor.num_moves
    actions = np.arange(num)[None] * 3
    _, seen = build(editor, actions, jax.random.key(0))
    np.testing.assert_array_equal(seen["move"][0], np.eye(num))
    standing = seen["map"][0].sum((1, 2, 3))
    if config is MINIMAX:
        np.testing.assert_array_equal(standing, np.arange(num))
        assert seen["map"][0, 3].reshape(-1, 3)[[0, 3, 6], 0].all()
    else:
        np.testing.assert_array_equal(standing, [0, 1, *range(1, num - 1)])
    assert seen["noise"].shape == (1, num, config.noise_size)
    assert len(np.unique(seen["noise"])) == num * config.noise_size


def test_builders_at_different_moves_each_see_their_own():
    """dcd's clock showed all moves of a batch at once, and so none."""
    editor = envs.maze_editor(WALLS, MINIMAX)
    num = editor.num_moves
    key = jax.random.key(0)

    def one_more(state, _):
        return editor.env.step(key, (), state, np.int32(0))[0], state

    def together():
        _, states = jax.lax.scan(one_more, editor.env.reset(key, ())[0], length=num)
        keys = jax.random.split(key, num)
        step = jax.vmap(editor.env.step, in_axes=(0, None, 0, None))
        return step(keys, (), states, np.int32(0))[1]

    seen = quick_jit(together)()
    np.testing.assert_array_equal(seen.obs["move"], np.eye(num, k=1))
    assert seen.terminated.tolist() == [False] * (num - 1) + [True]


def test_the_editor_is_an_environment():
    laws.keeps_its_contract(EnvironmentTrial(envs.maze_editor(WALLS).env))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: envs.maze_editor(25),
            "maze_editor.mazes must be of the type Mazes, got 25",
        ),
        (
            lambda: envs.maze_editor(envs.Mazes(size=2, num_walls=2)),
            "Mazes.size must be at least 3 where a builder sees them, got 2",
        ),
        (
            lambda: dataclasses.replace(JAXUED, count="first"),
            'MazeEditorConfig.count must be "fixed" where the goal comes first, got "first"',
        ),
    ],
)
def test_refuses(make, words):
    with pytest.raises((TypeError, ValueError), match=words):
        make()
