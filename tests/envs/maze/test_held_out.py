"""Held-out mazes: the published layouts, ways and time limits; mazes made by rule."""

import jax
import numpy as np
import pytest

from jaxcurriculum import envs
from jaxcurriculum.envs.maze.held_out import BY_RULE, held_out_layouts
from jaxcurriculum.testing.compiling import quick_jit

# Moves and actions on the shortest way, time limit, as counted and read in the peers' own.
PUBLISHED = {
    "sixteen-rooms": (20, 26, 450),
    "sixteen-rooms-2": (22, 28, 450),
    "labyrinth": (96, 113, 450),
    "labyrinth-flipped": (96, 113, 450),
    "labyrinth-2": (96, 113, 450),
    "standard-maze": (40, 54, 450),
    "standard-maze-2": (56, 73, 450),
    "standard-maze-3": (39, 54, 450),
    "small-corridor": (21, 24, 450),
    "large-corridor": (33, 36, 882),
    "nine-rooms": (20, 24, 450),
    "nine-rooms-fewer-doors": (34, 42, 450),
    "mini-maze": (10, 15, 72),
    "medium-maze": (17, 25, 200),
    "four-rooms-z": (20, 23, 450),
    "custom-z": (22, 25, 450),
    "trivial-maze": (6, 9, 250),
    "trivial-maze-2": (10, 13, 250),
    "trivial-maze-3": (14, 17, 250),
}
CONTAINED = quick_jit(jax.vmap(envs.Mazes().contains))
WAYS = quick_jit(jax.vmap(lambda maze: (envs.shortest_moves(maze), envs.shortest_actions(maze))))


def test_held_out_mazes_have_the_published_ways_and_their_own_limits():
    mazes = envs.held_out_mazes(tuple(PUBLISHED))
    moves, actions = WAYS(mazes)
    found = list(zip(moves.tolist(), actions.tolist(), mazes.time_limit.tolist()))
    assert dict(zip(PUBLISHED, found)) == PUBLISHED
    assert all(actions < mazes.time_limit), "each can be solved in time"
    assert np.all(CONTAINED(mazes))
    assert {*held_out_layouts()} == {*PUBLISHED, "memory"} and len(held_out_layouts()) == 20


def test_the_sets_name_every_maze_by_itself():
    """A comma that is missing makes one name of two, which dcd's list has."""
    assert len({*envs.EIGHT}) == 8 and len({*envs.TWELVE}) == 12
    assert {*envs.EIGHT, *envs.TWELVE} <= {*envs.held_out_names()}


def test_corridors_have_a_goal_at_each_end():
    for name, num in (("small-corridor", 10), ("large-corridor", 16)):
        mazes = envs.held_out_mazes((name,), num_each=num)
        assert len({tuple(goal) for goal in mazes.goal.tolist()}) == num
        assert not mazes.walls[np.arange(num), mazes.goal[:, 1], mazes.goal[:, 0]].any()
    few = envs.held_out_mazes(("large-corridor",), num_each=4)
    assert few.goal.tolist() == [[8, 8], [16, 8], [8, 10], [16, 10]]


def test_a_maze_with_walls_around_is_the_same_world():
    """What is beyond the grid is wall, so a test may pad."""
    alone, beside = (
        envs.held_out_mazes(("labyrinth",)),
        envs.held_out_mazes(("labyrinth", "large-corridor")),
    )
    see = quick_jit(lambda maze: envs.maze().reset(jax.random.key(0), maze)[1].obs)
    for place in ((0, 12), (12, 12), (12, 0)):
        agent = np.array([place], np.int32)
        first, second = (
            jax.tree.map(lambda leaf: leaf[0], mazes).replace(agent=agent[0])
            for mazes in (alone, beside)
        )
        jax.tree.map(np.testing.assert_array_equal, see(first), see(second))


@pytest.mark.parametrize("name", ["mazes", ""])
def test_a_name_that_no_maze_has_is_refused(name):
    with pytest.raises(ValueError, match=f"must be one of .*sixteen-rooms.*, got '{name}'"):
        envs.held_out_mazes((name,))


@pytest.mark.parametrize(
    ("names", "num", "sentence"),
    [
        ((), 1, "must hold a name"),
        ("labyrinth", 1, "held_out_mazes.names must be a sequence of names, got 'labyrinth'"),
        (("labyrinth",), 0, "must be a positive integer"),
        (("labyrinth",), 1.5, "must be a positive integer"),
    ],
)
def test_no_name_and_no_maze_of_a_name_are_refused(names, num, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        envs.held_out_mazes(names, num_each=num)


def made_by(rule, num=200):
    mazes = quick_jit(jax.vmap(rule))(jax.random.split(jax.random.key(0), num))
    moves, _ = WAYS(mazes)
    assert np.all(moves > 0) and np.all(CONTAINED(mazes))
    return mazes, moves


@pytest.mark.parametrize(
    ("name", "free", "moves"),
    [pytest.param("perfect-maze", 97, 26.0, marks=pytest.mark.slow), ("four-rooms", 0, 14.0)],
)
def test_mazes_by_rule_have_ways_as_long_as_published(name, free, moves):
    mazes, found = made_by(BY_RULE[name])
    assert not free or np.all((~mazes.walls).sum((1, 2)) == free)
    assert found.mean() == pytest.approx(moves, rel=0.15)
    assert len({maze.tobytes() for maze in np.asarray(mazes.walls)}) > 190


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["depth-first", "kruskal"])
def test_perfect_mazes_are_trees(rule):
    """All nodes are joined, by one edge less than there are nodes."""
    mazes, _ = made_by(lambda key: envs.perfect_maze(key, size=9, rule=rule), num=50)
    free = ~np.asarray(mazes.walls)
    nodes = free[:, ::2, ::2]
    assert nodes.all() and np.all(free.sum((1, 2)) == 25 + 24) and not free[:, 1::2, 1::2].any()
    far = jax.tree.map(lambda leaf: leaf.repeat(24, axis=0), mazes)
    cells = np.array([(x, y) for y in range(0, 9, 2) for x in range(0, 9, 2)][1:], np.int32)
    joined = far.replace(agent=np.zeros((1200, 2), np.int32), goal=np.tile(cells, (50, 1)))
    assert np.all(WAYS(joined)[0] > 0)
    corners = np.isin(np.asarray(mazes.goal), (0, 8)).all()
    assert corners == (rule == "kruskal")


def test_every_crossing_has_five_walls_with_an_opening_each():
    """minimax draws 2 to 7 of them."""
    mazes, _ = made_by(envs.crossing)
    walls = np.asarray(mazes.walls)
    rows, columns = (walls[:, 1::2].mean(2) > 0.5).sum(1), (walls[:, :, 1::2].mean(1) > 0.5).sum(1)
    assert np.all(rows + columns == 5) and np.all(mazes.time_limit == 484)
    crossed = rows * columns
    assert np.all(walls.sum((1, 2)) == 9 * 5 - crossed - 5), "an opening in each, none at a corner"
    assert np.all(mazes.agent == 0) and np.all(mazes.goal == 8)


def test_rules_of_even_size_or_beyond_what_can_be_flooded_are_refused():
    for rule in (envs.perfect_maze, envs.four_rooms, envs.crossing):
        for size in (8, 33, 13.0):
            with pytest.raises(ValueError, match=f"must be an odd number from 3 to 31, got {size}"):
                rule(jax.random.key(0), size=size)


def test_the_largest_perfect_maze_can_be_played():
    maze = envs.perfect_maze(jax.random.key(0), size=31)
    assert maze.time_limit == 2 * 33**2 and envs.Mazes().contains(maze)


@pytest.mark.parametrize(
    ("rule", "settings", "sentence"),
    [
        (envs.crossing, {"num_walls": 9}, "crossing.num_walls must be .* from 0 to 8, got 9"),
        (envs.crossing, {"num_walls": 2.5}, "crossing.num_walls must be an integer .* got 2.5"),
        (envs.perfect_maze, {"rule": "prim"}, "one of depth-first, kruskal, got 'prim'"),
    ],
)
def test_settings_that_no_rule_has_are_refused(rule, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        rule(jax.random.key(0), **settings)
