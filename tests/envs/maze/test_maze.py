"""What an agent sees and earns in a maze, and the options in which codebases differ."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import envs
from jaxcurriculum.checks import checked_test_tasks
from jaxcurriculum.envs.maze.maze import FORWARD, LEFT, RIGHT
from jaxcurriculum.envs.maze.record import TIME_LIMIT
from jaxcurriculum.testing.compiling import quick_jit

ENV = envs.maze()


SMALL = """
#G...
.....
..#..
.#^..
.....
"""


def walk(actions, text=SMALL, env=ENV, time_limit=TIME_LIMIT):
    """States and time steps of a walk in a maze, the start included."""
    level = jax.tree.map(jnp.asarray, envs.from_text(text, time_limit=time_limit))
    step, seen = jax.jit(env.step), [env.reset(jax.random.key(0), level)]
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
    seen = [timestep.obs for _, timestep in walk([RIGHT] * 4)]
    up, right = (obs["image"] for obs in seen[:2])
    # Rows from far to near, the agent in the middle of the last one: looking up from (2, 3).
    walls = [[1, 1, 1, 1, 1], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 1, 0, 0, 0]]
    assert up[..., 0].tolist() == walls and np.argwhere(up[..., 1]).tolist() == [[1, 1]]
    assert right[..., 0][-1].tolist() == [0, 1, 0, 0, 1] and right[..., 1].sum() == 0
    # Looking right, the wall of (2, 2) is to the left, and beyond (4, 3) the small maze ends.
    assert right[..., 0][1].tolist() == [1, 1, 1, 1, 1]
    # Right, down, left and up are 0 to 3.
    assert [obs["direction"].tolist() for obs in seen] == np.eye(4)[[3, 0, 1, 2, 3]].tolist()


def test_agents_that_look_in_different_directions_each_see_their_own():
    """dcd's compass showed all directions of a batch at once, and so none."""
    level = jax.tree.map(lambda leaf: jnp.stack([leaf] * 4), envs.from_text(SMALL))
    level = level.replace(direction=jnp.arange(4))
    keys = jax.random.split(jax.random.key(0), 4)

    def turned():
        states, start = jax.vmap(ENV.reset)(keys, level)
        actions = jnp.array([LEFT, RIGHT, FORWARD, RIGHT])
        return start, jax.vmap(ENV.step)(keys, level, states, actions)[1]

    start, after = (timestep.obs["direction"] for timestep in quick_jit(turned)())
    np.testing.assert_array_equal(start, np.eye(4))
    np.testing.assert_array_equal(after, np.eye(4)[[3, 2, 2, 0]])


def test_time_is_over_at_the_limit_of_the_maze():
    """Worth nothing more, as published, or merely cut, where the value goes on."""
    cut = envs.maze(rules=envs.MazeRules(time_out="truncation"))
    for env, ends in ((ENV, (True, False)), (cut, (False, True))):
        (_, before), (_, last) = walk([3] * 9, env=env, time_limit=9)[-2:]
        assert not before.terminated and not before.truncated
        assert (bool(last.terminated), bool(last.truncated)) == ends


def test_a_goal_that_is_reached_at_the_last_step_ends_the_episode():
    cut = envs.maze(rules=envs.MazeRules(time_out="truncation"))
    for env in (ENV, cut):
        last = walk([FORWARD], ">G", env, time_limit=1)[-1][1]
        assert last.reward == pytest.approx(0.1) and last.terminated and not last.truncated


def test_long_labyrinths_leave_time_for_their_113_actions():
    """With a limit of 250 the best return is 1 - 0.9 113 / 250; each maze has its own."""
    maze = jax.tree.map(lambda leaf: leaf[0], envs.held_out_mazes(("labyrinth",)))
    assert envs.optimal_return(maze) == pytest.approx(1 - 0.9 * 113 / 450)
    assert ENV.max_episode_steps >= envs.held_out_mazes(("large-corridor",)).time_limit[0] == 882


def test_the_shortest_way_earns_the_optimal_return():
    """The actions of the way through `SMALL`, which a search counts, too; by other rules it is 1,
    or the mean over where the agent may look.
    """
    way = [RIGHT, FORWARD, LEFT, FORWARD, FORWARD, FORWARD, LEFT, FORWARD, FORWARD]
    level = envs.from_text(SMALL)
    assert int(envs.shortest_actions(level)) == len(way)
    assert walk(way)[-1][1].reward == pytest.approx(float(envs.optimal_return(level)))

    without, drawn = (envs.maze(rules=envs.MazeRules(**rule)) for rule in OTHER_RULES)
    assert without.optimal_return(level) == 1
    turned = [level.replace(direction=jnp.int32(look)) for look in range(4)]
    mean = np.mean([envs.optimal_return(each) for each in turned])
    assert drawn.optimal_return(level) == pytest.approx(mean)


OTHER_RULES = ({"penalize_time": False}, {"start": "random"})
MIRRORED = {LEFT: RIGHT, RIGHT: LEFT, FORWARD: FORWARD}


def test_a_mirrored_policy_walks_the_mirrored_way():
    """What is seen in a flipped maze is what is seen in the maze, flipped, and so is the way."""
    there, back = (
        jax.tree.map(lambda leaf: leaf[0], envs.held_out_mazes((name,)))
        for name in ("labyrinth", "labyrinth-flipped")
    )
    actions = np.random.default_rng(0).choice([LEFT, RIGHT, FORWARD, FORWARD], 150).tolist()
    first = walk(actions, envs.to_text(there))
    second = walk([MIRRORED[action] for action in actions], envs.to_text(back))
    ways = [[state.agent.tolist() for state, _ in seen] for seen in (first, second)]
    assert ways[0] == [[12 - x, y] for x, y in ways[1]] and len(set(map(tuple, ways[0]))) > 5
    for (_, one), (_, other) in zip(first, second):
        assert (one.obs["image"] == other.obs["image"][:, ::-1]).all()


def test_codes_say_the_same_as_bits():
    """Minigrid's codes divided by 10: empty 1 0 0, wall 2 5 0, goal 8 1 0."""
    coded = envs.maze(rules=envs.MazeRules(image="codes"))
    way = [RIGHT, FORWARD, LEFT]
    for (_, bits), (_, codes) in zip(walk(way), walk(way, env=coded)):
        walls, goal = bits.obs["image"][..., 0], bits.obs["image"][..., 1]
        expected = np.where(walls[..., None], [[[2.0, 5, 0]]], [[[1.0, 0, 0]]])
        expected = np.where(goal[..., None], [[[8.0, 1, 0]]], expected) / 10
        np.testing.assert_allclose(codes.obs["image"], expected, rtol=1e-6)


def test_options_of_the_rules():
    """Three actions; a reward without time; a start in any direction, in tests as well."""
    rules = envs.MazeRules(null_actions=False, penalize_time=False, start="random")
    env = envs.maze(rules=rules)
    assert env.action_space.num == 3 and ENV.action_space.num == 7
    assert walk([LEFT], ">G", env, 2)[1][1].reward == 0
    level = jax.tree.map(jnp.asarray, envs.from_text(">G"))
    keys = jax.random.split(jax.random.key(0), 100)
    starts, _ = jax.vmap(env.reset, in_axes=(0, None))(keys, level)
    assert np.all(np.bincount(starts.direction) > 10)
    start = starts.replace(direction=jnp.int32(0), agent=level.agent, time=jnp.int32(100))
    _, timestep = env.step(keys[0], level, start, jnp.int32(FORWARD))
    assert timestep.reward == 1


def test_a_tested_maze_may_be_larger_than_those_that_are_drawn():
    space = ENV.task_space
    assert checked_test_tasks(space, envs.held_out_mazes(("large-corridor",))).walls.shape[1] == 19


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"direction": 4}, r"lies outside .* direction must be from 0 to 3, got .*direction 4"),
        ({"agent": (3, 0)}, r"must not stand on the goal, got agent \[3, 0\], goal \[3, 0"),
        ({"agent": (-1, 0)}, r"agent and goal must stand in the grid, got agent \[-1, 0\]"),
    ],
)
def test_a_tested_maze_that_is_none_is_told_why(change, sentence):
    maze = envs.from_text(">..G").replace(**{name: np.int32(at) for name, at in change.items()})
    with pytest.raises(ValueError, match=sentence):
        checked_test_tasks(ENV.task_space, jax.tree.map(lambda leaf: leaf[None], maze))
    with pytest.raises(ValueError, match=r"must have a leading axis, \[num_tasks, ...\], got none"):
        checked_test_tasks(ENV.task_space, maze)
