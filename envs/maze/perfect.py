"""Perfect mazes: exactly one way between any two free cells.

    the cells of even row and even column are nodes; a random spanning tree of them is carved into
    solid wall

        depth-first   a walk that goes to a random neighbour that it has not seen, and back where
                      there is none (long corridors)
        kruskal       edges in random order, each of which joins two parts that were not joined

Source: minimax walks depth-first, and puts agent and goal on two random free cells; dcd builds with
J. Kruskal, "On the shortest spanning subtree of a graph", 1956, between two different corners.
"""

from __future__ import annotations

from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.envs.maze.cells import check_odd, place_of, random_cell
from jaxcurriculum.envs.maze.record import NUM_DIRECTIONS, SIZE, STEPS, Maze, standard_limit
from jaxcurriculum.records import Key

Rule = Literal["depth-first", "kruskal"]


def perfect_maze(key: Key, size: int = SIZE, rule: Rule = "depth-first") -> Maze:
    """A perfect maze of `size` cells a side, an odd number; by `rule` agent and goal are where
    minimax (depth-first) or dcd (kruskal) puts them.

    >>> int((~perfect_maze(jax.random.key(0)).walls).sum())  # 49 nodes, 48 edges
    97
    """
    check_odd("perfect_maze", size)
    key_tree, key_ends = jax.random.split(key)
    num = (size + 1) // 2
    rules = {"depth-first": (_walk, _anywhere), "kruskal": (_kruskal, _in_corners)}
    if rule not in tuple(rules):
        raise ValueError(f"perfect_maze.rule must be one of {', '.join(rules)}, got {rule!r}.")
    carve, place = rules[rule]
    free = carve(key_tree, num)
    goal, agent, direction = place(key_ends, free)
    return Maze(
        walls=~free,
        goal=place_of(goal, size),
        agent=place_of(agent, size),
        direction=direction,
        time_limit=jnp.asarray(standard_limit(size)),
    )


def _walk(key: Key, num: int) -> jax.Array:
    """Free cells of a maze of `num` by `num` nodes, by a walk back and forth."""
    key_start, key_steps = jax.random.split(key)
    nodes, steps = num * num, jnp.asarray(STEPS)

    def go(carry, key):
        here, seen, parent, free = carry
        place = place_of(here, num)
        around = place[None] + steps
        inside = jnp.all((around >= 0) & (around < num), axis=1)
        there = around[:, 1] * num + around[:, 0]
        is_new = inside & ~seen[jnp.clip(there, 0, nodes - 1)]
        chosen = random_cell(key, is_new)
        goes = jnp.any(is_new)
        x, y = 2 * place + jnp.where(goes, steps[chosen], 0)
        free = free.at[y, x].set(True).at[2 * place[1], 2 * place[0]].set(True)
        new = jnp.where(goes, there[chosen], parent[here])
        parent = parent.at[new].set(jnp.where(goes, here, parent[new]))
        return (new, seen.at[new].set(True), parent, free), None

    start = jax.random.randint(key_start, (), 0, nodes)
    blank = jnp.zeros((2 * num - 1, 2 * num - 1), bool)
    carry = start, jnp.zeros((nodes,), bool).at[start].set(True), jnp.full((nodes,), start), blank
    (*_, free), _ = jax.lax.scan(go, carry, jax.random.split(key_steps, 2 * nodes - 1))
    return free


def _kruskal(key: Key, num: int) -> jax.Array:
    """Free cells of a maze of `num` by `num` nodes, by edges in random order."""
    y, x = np.mgrid[:num, :num].reshape(2, -1)
    node = y * num + x
    edges = np.concatenate(
        [np.stack([node, node + 1])[:, x < num - 1], np.stack([node, node + num])[:, y < num - 1]],
        axis=1,
    )
    order = jax.random.permutation(key, edges.shape[1])

    def join(carry, edge):
        part, free = carry
        one, other = edge
        is_new = part[one] != part[other]
        part = jnp.where(part == part[other], part[one], part)
        across = place_of(one, num) + place_of(other, num)  # twice the middle of both
        return (part, free.at[across[1], across[0]].set(is_new)), None

    solid = jnp.zeros((2 * num - 1, 2 * num - 1), bool)
    start = jnp.arange(num * num), solid.at[::2, ::2].set(True)
    (_, free), _ = jax.lax.scan(join, start, jnp.asarray(edges).T[order])
    return free


def _anywhere(key: Key, free: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Goal and agent on two free cells, and a direction."""
    key_goal, key_agent, key_direction = jax.random.split(key, 3)
    cells = free.reshape(-1)
    goal = random_cell(key_goal, cells)
    agent = random_cell(key_agent, cells.at[goal].set(False))
    return goal, agent, jax.random.randint(key_direction, (), 0, NUM_DIRECTIONS)


def _in_corners(key: Key, free: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Goal and agent in two of the corners, the agent looking right."""
    size = free.shape[0]
    corners = jnp.array([0, size - 1, size * (size - 1), size * size - 1], jnp.int32)
    goal, agent = jax.random.permutation(key, corners)[:2]
    return goal, agent, jnp.int32(0)
