"""Mazes: the published generator, edits, layouts, ways, and what an agent sees and earns."""

import collections

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import envs
from jaxcurriculum.envs.maze.levels import Mazes, from_text, to_text
from jaxcurriculum.envs.maze.maze import FORWARD, LEFT, RIGHT, TIME_LIMIT
from jaxcurriculum.envs.maze.paths import distances

ENV = envs.maze()
NUM = 4000
# Moves on the shortest way, as counted in the mazes that other codebases share.
WAYS = [20, 22, 96, 96, 96, 40, 56, 39, 21, 20, 34, 20, 22]


@pytest.fixture(scope="module")
def drawn():
    """Random mazes, the moves from agent to goal, and the mazes after five edits."""
    mazes = Mazes()
    keys = jax.random.split(jax.random.key(0), NUM)
    levels = jax.jit(jax.vmap(mazes.sample))(keys)
    edited = jax.jit(jax.vmap(lambda key, maze: mazes.mutate(key, maze, 0.0)))(keys, levels)
    assert np.all(jax.vmap(mazes.contains)(levels)) and np.all(jax.vmap(mazes.contains)(edited))
    return levels, mazes.columns(levels)["path_length"], edited


def test_random_mazes_are_like_the_published_ones(drawn):
    """23.3 walls, 99.6 % with a way, which has 9.0 moves on average and 17 at 95 %."""
    levels, moves, _ = drawn
    assert abs(levels.walls.sum((1, 2)).mean() - 23.3) < 0.2
    assert abs((moves >= 0).mean() - 0.996) < 0.004
    assert abs(moves[moves >= 0].mean() - 9.0) < 0.3 and np.quantile(moves, 0.95) == 17


def test_edits_change_as_much_as_the_published_ones(drawn):
    """1.66 walls, and the goal in 86 % of the mazes; the agent stays."""
    levels, _, edited = drawn
    assert abs((levels.walls != edited.walls).sum((1, 2)).mean() - 1.66) < 0.1
    assert abs((levels.goal != edited.goal).any(1).mean() - 0.86) < 0.03
    assert (levels.agent == edited.agent).all() and (levels.direction == edited.direction).all()


def test_held_out_mazes_have_the_published_ways():
    mazes = envs.held_out_mazes()
    columns = ENV.task_space.columns(mazes)
    assert columns["path_length"].tolist() == WAYS
    assert len(set(columns["layout"])) == len(envs.HELD_OUT)
    assert np.all(jax.vmap(ENV.task_space.contains)(mazes))


def test_distances_are_those_of_a_search():
    rng = np.random.default_rng(0)
    for _ in range(20):
        walls = rng.random((13, 13)) < 0.35
        walls[6, 6] = False
        known, queue = {(6, 6): 0}, collections.deque([(6, 6)])
        while queue:
            x, y = queue.popleft()
            for there in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)):
                inside = 0 <= there[0] < 13 and 0 <= there[1] < 13
                if inside and not walls[there[1], there[0]] and there not in known:
                    known[there] = known[x, y] + 1
                    queue.append(there)
        ours = distances(jnp.array(walls), jnp.array([6, 6]))
        expected = [[known.get((x, y), -1) for x in range(13)] for y in range(13)]
        assert ours.tolist() == expected


def test_a_layout_is_its_text(drawn):
    level = jax.tree.map(lambda leaf: leaf[7], drawn[0])
    again = from_text(to_text(level))
    jax.tree.map(np.testing.assert_array_equal, again, jax.tree.map(np.asarray, level))


SMALL = """
#G...
.....
..#..
.#^..
.....
"""


def walk(actions, text=SMALL):
    """States and time steps of a walk in a maze, the start included."""
    level = jax.tree.map(jnp.asarray, from_text(text))
    step, seen = jax.jit(ENV.step), [ENV.reset(jax.random.key(0), level)]
    for action in actions:
        seen.append(step(jax.random.key(0), level, seen[-1][0], jnp.int32(action)))
    return seen


def test_walls_block_and_the_goal_ends_the_episode_without_being_entered():
    way = [FORWARD, RIGHT, FORWARD, LEFT, FORWARD, FORWARD, FORWARD, LEFT, FORWARD, FORWARD]
    seen = walk(way)
    places = [tuple(state.agent.tolist()) for state, _ in seen]
    assert places[1] == (2, 3), "a wall is ahead"
    assert places[3:6] == [(3, 3), (3, 3), (3, 2)] and places[-1] == (2, 0)
    rewards = [float(timestep.reward) for _, timestep in seen]
    assert rewards[:-1] == [0.0] * 10 and rewards[-1] == pytest.approx(1 - 0.9 * 10 / TIME_LIMIT)
    assert [bool(timestep.terminated) for _, timestep in seen] == [False] * 10 + [True]


@pytest.mark.parametrize("action", [3, 4, 5, 6])
def test_the_other_actions_only_cost_time(action):
    (before, _), (after, _) = walk([action])
    assert (after.agent == before.agent).all() and after.time == 1


def test_what_is_seen_lies_before_the_agent_and_turns_with_it():
    up, right = (timestep.obs["image"] for _, timestep in walk([RIGHT]))
    # Rows from far to near, the agent in the middle of the last one: looking up from (2, 3).
    walls = [[1, 1, 1, 1, 1], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 1, 0, 0, 0]]
    assert up[..., 0].tolist() == walls and np.argwhere(up[..., 1]).tolist() == [[1, 1]]
    assert right[..., 0][-1].tolist() == [0, 1, 0, 0, 1] and right[..., 1].sum() == 0
    # Looking right, the wall of (2, 2) is to the left, and beyond (4, 3) the small maze ends.
    assert right[..., 0][1].tolist() == [1, 1, 1, 1, 1]


def test_time_is_over_after_250_steps():
    seen = walk([3] * TIME_LIMIT)
    assert bool(seen[-1][1].terminated) and not bool(seen[-2][1].terminated)


@pytest.mark.parametrize("text", ["GG>", "..>", "G..", "G?>", "/".join(["G>" + "." * 12] * 1)])
def test_a_text_that_is_no_maze_is_refused(text):
    with pytest.raises(ValueError, match="a maze must have"):
        from_text(text)
