"""Shortest ways through a maze, by a flood from the agent.

    a row of cells is one word, a bit a cell; in every round the flood takes what lies beside it,
        $flood = (flood | flood << 1 | flood >> 1 | above | below) & free$
    and the rounds before it reaches the goal are counted

How many rounds there are depends on the size alone: of four cells in a square at most three lie on
a shortest way, and a way of so many moves needs at most twice as many actions and one more.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxcurriculum.envs.maze.record import NUM_DIRECTIONS, REWARD_LOST, WIDEST, Maze


def shortest_moves(maze: Maze) -> jax.Array:
    """Moves from the agent to the goal, [] int32; -1 where there is no way.

    >>> from jaxcurriculum.envs import from_text
    >>> int(shortest_moves(from_text(">#G/...")))
    4
    """
    free, goal, agent = _words(maze)

    def spread(_, carry):
        flood, rounds = carry
        flood = (flood | _beside(flood)) & free
        return flood, rounds + ~_meet(flood, goal)

    start = agent, jnp.int32(0)
    flood, rounds = jax.lax.fori_loop(0, most_moves(*maze.walls.shape), spread, start)
    moves = jnp.where(_meet(agent, goal), 0, rounds + 1)
    return jnp.where(_meet(flood, goal), moves, -1)


def shortest_actions(maze: Maze) -> jax.Array:
    """Turns and moves from the agent, as it stands, to the goal, [] int32; -1 where there is no
    way.

    The last of them moves into the goal.

    >>> from jaxcurriculum.envs import from_text
    >>> int(shortest_actions(from_text(">#G/...")))
    7
    """
    free, goal, agent = _words(maze)
    looks = jnp.arange(NUM_DIRECTIONS)[:, None] == maze.direction
    start = jnp.where(looks, agent[None], 0).astype(jnp.uint32)

    def spread(_, carry):
        flood, actions = carry
        turned = jnp.roll(flood, 1, axis=0) | jnp.roll(flood, -1, axis=0)
        right, down, left, up = flood
        moved = jnp.stack([right << 1, _below(down), left >> 1, _above(up)])
        flood = flood | turned | (moved & free[None])
        return flood, actions + ~_meet(flood, goal[None])

    num = 2 * most_moves(*maze.walls.shape) + 1
    flood, actions = jax.lax.fori_loop(0, num, spread, (start, jnp.int32(0)))
    actions = jnp.where(_meet(agent, goal), 0, actions + 1)
    return jnp.where(_meet(flood, goal[None]), actions, -1)


def solvable(maze: Maze) -> jax.Array:
    """Whether a way leads to the goal, [] bool."""
    return shortest_moves(maze) >= 0


def optimal_return(maze: Maze) -> jax.Array:
    """The best return of an episode, 1 - 0.9 d / T with d the fewest actions and T the time limit,
    [] float32; 0 where the goal cannot be reached in time.

    >>> from jaxcurriculum.envs import from_text
    >>> round(float(optimal_return(from_text(">#G/..."))), 4)
    0.9748
    """
    actions = shortest_actions(maze)
    in_time = (actions >= 0) & (actions <= maze.time_limit)
    best = 1.0 - REWARD_LOST * actions / maze.time_limit
    return jnp.where(in_time, best, 0.0).astype(jnp.float32)


def most_moves(height: int, width: int) -> int:
    """What no shortest way exceeds.

    >>> most_moves(13, 13)
    146
    """
    return 3 * -(-height // 2) * -(-width // 2) - 1


def _words(maze: Maze) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Free cells, the goal and the agent, a word a row, [height] uint32 each."""
    height, width = maze.walls.shape
    if width > WIDEST:
        raise ValueError(f"a maze must be at most {WIDEST} cells wide, got {width}.")
    bits = jnp.uint32(1) << jnp.arange(width, dtype=jnp.uint32)
    free = jnp.sum(jnp.where(maze.walls, 0, bits), axis=1, dtype=jnp.uint32)
    rows = jnp.arange(height)

    def word(place: jax.Array) -> jax.Array:
        x, y = jnp.asarray(place)
        return jnp.where(rows == y, jnp.uint32(1) << x.astype(jnp.uint32), jnp.uint32(0))

    return free, word(maze.goal), word(maze.agent)


def _beside(flood: jax.Array) -> jax.Array:
    return flood << 1 | flood >> 1 | _below(flood) | _above(flood)


def _below(flood: jax.Array) -> jax.Array:
    return jnp.concatenate([jnp.zeros_like(flood[:1]), flood[:-1]])


def _above(flood: jax.Array) -> jax.Array:
    return jnp.concatenate([flood[1:], jnp.zeros_like(flood[:1])])


def _meet(flood: jax.Array, other: jax.Array) -> jax.Array:
    return jnp.any((flood & other) != 0)
