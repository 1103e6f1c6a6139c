"""Random mazes and edits, against what the peers' own make; the space of mazes."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import envs
from jaxcurriculum.checks import checked_test_tasks
from jaxcurriculum.envs.maze.edits import EDITS
from jaxcurriculum.testing.compiling import quick_jit

NUM = 4000
MAZE = envs.from_text(">.G")
CONTAINED = quick_jit(jax.vmap(envs.Mazes().contains))
WAY = quick_jit(jax.vmap(envs.shortest_moves))


@functools.cache
def drawn(num_walls, walls):
    """Random mazes, and the moves on their shortest ways."""
    mazes = envs.Mazes(num_walls=num_walls, walls=walls)
    levels = quick_jit(jax.vmap(mazes.sample))(jax.random.split(jax.random.key(0), NUM))
    assert np.all(CONTAINED(levels))
    return levels, np.asarray(WAY(levels))


# Walls, share with a way, mean moves: of 4,000 mazes that the peers' own programs drew.
@pytest.mark.parametrize(
    ("num_walls", "walls", "mean_walls", "solvable"),
    [
        (25, "replacement", 23.3, 0.996),
        (60, "replacement", 50.6, 0.849),
        pytest.param(60, "exact", 60.0, 0.675, marks=pytest.mark.slow),
        pytest.param(60, "uniform", 29.5, 0.948, marks=pytest.mark.slow),
        pytest.param(25, "dcd", 23.0, 0.995, marks=pytest.mark.slow),
        (60, "dcd-uniform", 25.6, 0.978),
        pytest.param(0, "replacement", 0.0, 1.0, marks=pytest.mark.slow),
        pytest.param(1, "uniform", 0.0, 1.0, marks=pytest.mark.slow),
    ],
)
def test_random_mazes_are_like_the_published_ones(num_walls, walls, mean_walls, solvable):
    levels, moves = drawn(num_walls, walls)
    assert levels.walls.sum((1, 2)).mean() == pytest.approx(mean_walls, abs=1.0)
    assert (moves >= 0).mean() == pytest.approx(solvable, abs=0.02)


def test_ways_of_random_mazes_are_as_long_as_published():
    for num_walls, mean, most in ((25, 9.0, 17), (60, 10.6, 21)):
        _, moves = drawn(num_walls, "replacement")
        ways = moves[moves >= 0]
        assert ways.mean() == pytest.approx(mean, abs=0.3)
        assert np.quantile(ways, 0.95) == pytest.approx(most, abs=1)


def test_dcd_ties_the_number_of_walls_to_the_first_of_them():
    """A maze of one wall has it in the second sixtieth of the cells; two that stand far down are
    none.
    """
    levels, _ = drawn(60, "dcd-uniform")
    few = levels.walls[levels.walls.sum((1, 2)) == 1].reshape(-1, 169)
    first = np.argmax(few, axis=1)
    assert len(few) > 20 and np.quantile(first, 0.8) < 9


# Walls changed, and shares of mazes whose goal and whose agent moved, from mazes of 60 draws; dcd's
# by its rule: 5/3 (0.7 + 2 0.3) walls, 1 - (2/3)^5 goals, and agents on 5 of 169 cells.
@pytest.mark.parametrize(
    ("edits", "num_edits", "walls", "goal", "agent"),
    [
        ("minimax", 5, 1.66, 0.86, 0.0),
        pytest.param("minimax", 20, 6.5, 0.99, 0.0, marks=pytest.mark.slow),
        pytest.param("jaxued", 5, 2.0, 0.75, 0.77, marks=pytest.mark.slow),
        ("dcd", 5, 2.16, 0.87, 0.03),
    ],
)
def test_edits_change_as_much_as_the_published_ones(edits, num_edits, walls, goal, agent):
    levels, _ = drawn(60, "replacement")
    mazes = envs.Mazes(num_edits=num_edits, edits=edits)
    keys = jax.random.split(jax.random.key(1), NUM)
    edited = quick_jit(jax.vmap(lambda key, maze: mazes.mutate(key, maze, 0.0)))(keys, levels)
    assert np.all(CONTAINED(edited))
    changed = (levels.walls != edited.walls).sum((1, 2)).mean()
    assert changed == pytest.approx(walls, abs=0.1 * num_edits / 5)
    moved = (levels.goal != edited.goal).any(1).mean()
    assert moved == pytest.approx(goal, abs=0.03)
    assert (levels.agent != edited.agent).any(1).mean() == pytest.approx(agent, abs=0.03)
    assert edits != "minimax" or (levels.direction == edited.direction).all()


@pytest.mark.slow
def test_minimax_flips_walls_as_often_as_it_moves_the_goal():
    """A third each, nothing in the last third."""
    levels, _ = drawn(60, "replacement")
    keys = jax.random.split(jax.random.key(1), NUM)
    edited = quick_jit(jax.vmap(lambda key, maze: EDITS["minimax"](key, maze, 1)))(keys, levels)
    flipped = (levels.walls != edited.walls).any((1, 2))
    moved = (levels.goal != edited.goal).any(1)
    assert flipped.mean() == pytest.approx(1 / 3, abs=0.03) and not (flipped & moved).any()
    assert moved.mean() == pytest.approx(1 / 3, abs=0.03)


SPACE = envs.Mazes()
LEVEL = envs.from_text(">..G/#...")


@pytest.mark.parametrize(
    "change",
    [
        {"direction": 4},  # which jaxued's own check lets pass
        {"direction": -1},
        {"goal": [0, 0]},
        {"goal": [0, 1]},
        {"agent": [13, 0]},
        {"agent": [-1, 0]},
        {"time_limit": 0},
        {"time_limit": 2313},
    ],
)
def test_what_is_no_maze_is_not_in_the_space_and_is_clipped_into_it(change):
    assert SPACE.contains(jax.tree.map(jnp.asarray, LEVEL))
    changes = {name: jnp.array(value, jnp.int32) for name, value in change.items()}
    broken = jax.tree.map(jnp.asarray, LEVEL).replace(**changes)
    assert not SPACE.contains(broken) and SPACE.contains(SPACE.clip(broken))


def test_equal_mazes_have_equal_columns_and_others_do_not():
    later = LEVEL.replace(time_limit=np.int32(450))
    turned = LEVEL.replace(direction=np.int32(1))
    mazes = jax.tree.map(lambda *leaves: np.stack(leaves), LEVEL, LEVEL, later, turned)
    columns = SPACE.columns(mazes)
    rows = list(zip(*(values.tolist() for values in columns.values())))
    assert rows[0] == rows[1] and len(set(rows)) == 3
    assert columns["path_length"].tolist() == [3] * 4
    assert columns["actions"].tolist() == [3, 3, 3, 4]


def test_solvable_mazes_have_ways():
    mazes = envs.Mazes(num_walls=60)
    found = envs.solvable_mazes(mazes, 300)
    assert found.walls.shape == (300, 13, 13) and np.all(WAY(found) > 0)
    assert len(set(mazes.columns(found)["layout"])) == 300


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"size": 1}, "Mazes.size must be an integer from 2 to 32, got 1"),
        ({"size": 4, "num_walls": 15}, "leave two of 4 by 4 cells free, got 15"),
        ({"num_walls": -1}, "Mazes.num_walls must be an integer from 0"),
        ({"num_edits": 1001}, "Mazes.num_edits must be an integer from 0 to 1000, got 1001"),
        ({"edits": "none"}, "Mazes.edits must be"),
        ({"walls": "level"}, 'must hold a maze where walls are "level", got none'),
        ({"level": ">#G"}, "a free way must lead .* from line 1, column 1 to line 1, column 3"),
        ({"level": 3}, "Mazes.level must be a text, got 3"),
        ({"level": "nowhere.txt"}, "a file with one, but there is no file nowhere.txt"),
        ({"time_limit": 2313}, "Mazes.time_limit must be an integer from 1 to 2312, got 2313"),
    ],
)
def test_mazes_that_cannot_be_are_refused(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        envs.Mazes(**settings)


@pytest.mark.parametrize(
    ("tasks", "got"),
    [
        ([[0.5]], "got list"),
        ("held-out", "got str"),
        (np.zeros((3, 2)), "got ndarray"),
        (
            jax.tree.map(lambda leaf: leaf[None], MAZE.replace(goal=np.array([1.5, 0]))),
            "got Maze.*fl",
        ),
    ],
)
def test_test_tasks_that_are_no_mazes_are_refused_in_one_line(tasks, got):
    with pytest.raises(ValueError, match=rf"^test_tasks: each task must be Maze\(.*\), {got}.*$"):
        checked_test_tasks(SPACE, tasks)


@pytest.mark.parametrize("num", [-1, 1.5])
def test_no_such_number_of_mazes(num):
    with pytest.raises(ValueError, match=f"num must be a positive integer, got {num}"):
        envs.solvable_mazes(SPACE, num)


@pytest.mark.parametrize("edits", ["minimax", "dcd"])
def test_edits_of_a_maze_without_a_free_cell_make_a_maze(edits):
    mazes = envs.Mazes(size=2, num_walls=2, walls="exact", edits=edits)
    keys = jax.random.split(jax.random.key(0), 200)

    def is_maze(key):
        return mazes.contains(mazes.mutate(key, mazes.sample(key), 0.0))

    assert quick_jit(jax.vmap(is_maze))(keys).all()
