"""Floods against a plain search, on mazes of every size."""

import collections

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import envs, tree
from jaxcurriculum.envs.maze.paths import most_moves
from jaxcurriculum.testing.compiling import quick_jit

STEPS = [(1, 0), (0, 1), (-1, 0), (0, -1)]
WAYS = quick_jit(jax.vmap(lambda maze: (envs.shortest_moves(maze), envs.shortest_actions(maze))))


def searched(walls, goal, starts, neighbours):
    """Steps of a breadth-first search until a state stands on the goal; -1 where none does."""
    known, queue = dict.fromkeys(starts, 0), collections.deque(starts)
    while queue:
        state = queue.popleft()
        if state[:2] == goal:
            return known[state]
        for new in neighbours(*state):
            x, y = new[:2]
            inside = 0 <= y < len(walls) and 0 <= x < len(walls[0])
            if inside and not walls[y][x] and new not in known:
                known[new] = known[state] + 1
                queue.append(new)
    return -1


def moves(x, y):
    return [(x + dx, y + dy) for dx, dy in STEPS]


def actions(x, y, look):
    dx, dy = STEPS[look]
    return [(x, y, (look + 1) % 4), (x, y, (look - 1) % 4), (x + dx, y + dy, look)]


def random_mazes(num, height, width, seed=0):
    """Mazes whose share of walls is anything from none to half."""
    rng = np.random.default_rng(seed)
    walls = rng.random((num, height, width)) < rng.uniform(0, 0.5, (num, 1, 1))
    cells = np.argsort(rng.random((num, height * width)), axis=1)[:, :2]
    places = np.stack([cells % width, cells // width], -1)
    for maze, ends in zip(walls, places):
        maze[ends[:, 1], ends[:, 0]] = False
    goal, agent = places.astype(np.int32).transpose(1, 0, 2)
    limits = np.full(num, 250, np.int32)
    return envs.Maze(walls, goal, agent, rng.integers(0, 4, num, np.int32), limits)


@pytest.mark.parametrize(
    ("num", "height", "width"),
    [
        pytest.param(60, 2, 1, marks=pytest.mark.slow),
        (150, 4, 7),
        (300, 13, 13),
        pytest.param(20, 21, 32, marks=pytest.mark.slow),
    ],
)
def test_ways_are_those_of_a_search(num, height, width):
    mazes = random_mazes(num, height, width)
    counted = WAYS(mazes)
    for i in range(num):
        maze = jax.tree.map(lambda leaf, i=i: leaf[i].tolist(), mazes)
        goal, (x, y) = tuple(maze.goal), maze.agent
        assert counted[0][i] == searched(maze.walls, goal, [(x, y)], moves)
        assert counted[1][i] == searched(maze.walls, goal, [(x, y, maze.direction)], actions)


def test_a_flood_takes_the_longest_way_that_fits():
    """A comb, whose way visits every column up and down: as long as any on so many cells."""
    text = ">...#/###.#/G...#/.####".replace("G", ".").replace("/.####", "/.###G")
    rows = [">.......", "#######.", "........", ".#######", "........", "#######.", "G......."]
    maze = envs.from_text("/".join(rows), size=8)
    assert envs.shortest_moves(maze) == 34 and 34 < most_moves(8, 8)
    assert envs.shortest_moves(envs.from_text(text, size=6)) == -1


def test_the_best_return_is_that_of_the_shortest_way_in_time():
    maze = envs.from_text(">#G/...")
    assert envs.optimal_return(maze) == pytest.approx(1 - 0.9 * 7 / 250)
    at_the_last_step = maze.replace(time_limit=jnp.int32(7))
    assert envs.optimal_return(at_the_last_step) == pytest.approx(0.1)
    assert envs.optimal_return(maze.replace(time_limit=jnp.int32(6))) == 0
    assert envs.optimal_return(envs.from_text(">#G/.#.")) == 0


def test_a_maze_that_is_too_wide_is_refused():
    with pytest.raises(ValueError, match="at most 32 cells wide, got 33"):
        envs.shortest_moves(tree.take(random_mazes(1, 2, 33), 0))
