"""The impulses of all rows: projected Gauss-Seidel, with Newton steps between the sweeps.

Each row wants its natural map to hold: impulse = bound(impulse - mass * speed). A sweep of Gauss-Seidel makes it hold for one row after
another. That is slow where a light leg carries a heavy hull: a foot that is stopped bends the knee, and the knee's limit presses the
foot down again. A Newton step solves for all rows that are inside their bounds at once, and the sweeps then mend the bounds: the
subspace minimisation of Silcowitz-Hansen et al. 2010 ("A projected Gauss-Seidel subspace minimization method ..."), here in the
coordinates of the motion, of which there are three for the hull and two a leg, however many rows there are.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.envs.walker.batching import apart
from jaxcurriculum.envs.walker.mass import MassMatrix, Motion
from jaxcurriculum.envs.walker.rows import JOINTS, NORMALS, TANGENTS, Rows, row_speeds

ROUNDS = 2  # of Newton steps and sweeps, after one of sweeps alone
NEWTON_STEPS = 2  # a round
SWEEPS = 2  # in every round
STIFFNESS = 100.0  # of a row inside its bounds, in row masses: rows may say the same thing twice, so they are not quite rigid
WORSE = 100.0  # a round is undone when its last sweep still changed this many times what the last sweep before it changed


class Bounds(struct.PyTreeNode):
    """What impulses may do. `at` indexes rows of one kind: a slice with all that follows, or (row, leg)."""

    target: jax.Array  # [6, legs, N]: speeds that joints and normals are to have, m/s or rad/s
    strength: jax.Array  # [2, legs, N]: largest impulse of a joint's motor, N m s
    at_lower: jax.Array  # [2, legs, N]: whether a joint may not turn further down
    at_upper: jax.Array  # [2, legs, N]: or further up
    friction: float = struct.field(pytree_node=False)  # largest tangential impulse in normal impulses

    def joint(self, at, stop: jax.Array, mass: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Motor and limit of rows that the impulse `stop` brings to rest: the impulse allowed, and whether it follows `stop`."""
        wanted, strength = stop + self.target[at] * mass, self.strength[at]
        driven = jnp.clip(wanted, -strength, strength)
        held = jnp.where(self.at_lower[at], jnp.maximum(driven, stop), driven)
        held = jnp.where(self.at_upper[at], jnp.minimum(held, stop), held)
        return held, (jnp.abs(wanted) < strength) | (held != driven)

    def normal(self, at, stop: jax.Array, mass: jax.Array) -> tuple[jax.Array, jax.Array]:
        """A normal pushes, or does nothing."""
        wanted = stop + self.target[at] * mass
        return jnp.maximum(wanted, 0.0), wanted > 0

    def tangent(self, stop: jax.Array, normal: jax.Array) -> tuple[jax.Array, jax.Array]:
        """A tangent holds within the cone of its normal's impulse."""
        hold = self.friction * jnp.maximum(normal, 0.0)
        return jnp.clip(stop, -hold, hold), jnp.abs(stop) < hold


ByKind = tuple[jax.Array, jax.Array, jax.Array]  # joints [2, legs, N], normals [4, legs, N], tangents [4, legs, N]


class Solution(struct.PyTreeNode):
    """A motion, the impulses that make it so, and how far the last sweep still changed them."""

    motion: Motion
    impulses: ByKind
    change: jax.Array  # [N], J: sum of change^2 / mass over the rows of the last sweep


def by_kind(rows: jax.Array) -> ByKind:
    """[10, legs, ...] apart by kinds of rows."""
    joints, normals, tangents = (rows[kind.start : kind.stop] for kind in (JOINTS, NORMALS, TANGENTS))
    return joints, normals, tangents


def solve(rows: Rows, mass: MassMatrix, bounds: Bounds, motion: Motion, impulses: jax.Array) -> tuple[Motion, ByKind]:
    """The motion under impulses that `bounds` allow, and the impulses, from a first guess of them [10, legs, N]."""
    order = (*JOINTS, *TANGENTS, *NORMALS)

    def newton_and_sweeps(number, before):
        num_steps = jnp.where(number > 0, NEWTON_STEPS, 0)  # the first round only sweeps, to find which rows are inside their bounds
        after = jax.lax.fori_loop(0, num_steps, lambda _, now: _newton_step(rows, mass, bounds, now), before)
        after = gauss_seidel(rows, bounds, after, order, SWEEPS)
        better = after.change < WORSE * before.change
        return jax.tree.map(lambda new, old: jnp.where(better, new, old), after, before)

    guess = (rows.response * impulses[:, :, None]).sum(0)  # [legs, 5, N]
    start = Motion(hull=motion.hull + guess[:, :3].sum(0), links=motion.links + guess[:, 3:].swapaxes(0, 1))
    first = Solution(motion=start, impulses=by_kind(impulses), change=jnp.full_like(motion.hull[0], jnp.inf))
    solution = jax.lax.fori_loop(0, 1 + ROUNDS, newton_and_sweeps, first)
    return solution.motion, solution.impulses


def gauss_seidel(rows: Rows, bounds: Bounds, solution: Solution, order: Sequence[int], num_sweeps: int) -> Solution:
    """Sweeps: every row of `order`, leg by leg, takes the impulse that stops it, as far as its bound allows.

    At least two: XLA inlines a loop of one, and the program that results takes minutes to compile.
    """
    num_legs = rows.mass.shape[1]
    todo = [(row, leg) for leg in range(num_legs) for row in order]

    def allowed(row, leg, stop, impulses):
        if row in JOINTS:
            return bounds.joint((row, leg), stop, rows.mass[row, leg])[0]
        if row in NORMALS:
            return bounds.normal((row, leg), stop, rows.mass[row, leg])[0]
        return bounds.tangent(stop, impulses[row - len(NORMALS), leg])[0]

    def sweep(_, carry):
        hull, links, impulses, total = carry[0], list(carry[1]), dict(carry[2]), jnp.zeros_like(carry[3])
        for row, leg in todo:
            jacobian, response = rows.jacobian[row, leg], rows.response[row, leg]
            rate = sum(jacobian[i] * speed for i, speed in enumerate([*hull, *links[leg]]))
            impulse = allowed(row, leg, impulses[row, leg] - rows.mass[row, leg] * rate, impulses)
            change = impulse - impulses[row, leg]
            hull, links[leg] = hull + response[:3] * change[None], links[leg] + response[3:] * change[None]
            impulses[row, leg], total = impulse, total + change * change / rows.mass[row, leg]
        return hull, tuple(links), impulses, total

    kinds = list(zip((JOINTS, NORMALS, TANGENTS), solution.impulses))
    links = tuple(solution.motion.links[:, leg] for leg in range(num_legs))
    impulses = {(row, leg): kept[i, leg] for kind, kept in kinds for i, row in enumerate(kind) for leg in range(num_legs)}
    hull, links, solved, change = jax.lax.fori_loop(0, num_sweeps, sweep, (solution.motion.hull, links, impulses, solution.change))
    joints, normals, tangents = (jnp.stack([jnp.stack([solved[row, leg] for leg in range(num_legs)]) for row in kind]) for kind, _ in kinds)
    return Solution(motion=Motion(hull=hull, links=jnp.stack(links, axis=1)), impulses=(joints, normals, tangents), change=change)


def _newton_step(rows: Rows, mass: MassMatrix, bounds: Bounds, now: Solution) -> Solution:
    """One Newton step on the natural map of all rows.

    Rows inside their bounds become stiff springs to the speed that they want, k = STIFFNESS mass; the others take their bound. A tangent
    that slips follows its normal, so an impulse of that normal pushes along both. With d the change of the motion,

        (A + sum pushes k J^T) d = sum pushes (k (wanted speed - speed) inside, bound - impulse at a bound).
    """
    kinds, old = list(zip(by_kind(rows.jacobian), by_kind(rows.mass))), now.impulses
    stops = [impulse - m * row_speeds(jacobian, now.motion) for (jacobian, m), impulse in zip(kinds, old)]
    parts = (
        bounds.joint(np.s_[JOINTS.start : JOINTS.stop], stops[0], kinds[0][1]),
        bounds.normal(np.s_[NORMALS.start : NORMALS.stop], stops[1], kinds[1][1]),
        bounds.tangent(stops[2], old[1]),
    )
    follows = jnp.where(parts[1][1] & ~parts[2][1], bounds.friction * jnp.sign(stops[2]), 0.0)  # tangential by normal impulse
    stiff = [jnp.where(inside, STIFFNESS * m, 0.0) for (_, inside), (_, m) in zip(parts, kinds)]
    pulls = [jnp.where(inside, STIFFNESS, 1.0) * (bound - impulse) for (bound, inside), impulse in zip(parts, old)]
    pulls[2] = jnp.where(follows != 0, follows * old[1] - old[2], pulls[2])
    step = apart(_solve_arrow)(mass, *apart(_springs)(rows.jacobian, follows, stiff, pulls))
    joints, normals, tangents = (
        jnp.where(inside, impulse + STIFFNESS * (bound - impulse) - k * row_speeds(jacobian, step), bound)
        for (bound, inside), impulse, k, (jacobian, _) in zip(parts, old, stiff, kinds)
    )
    tangents = jnp.where(follows != 0, follows * normals, tangents)
    motion = Motion(hull=now.motion.hull + step.hull, links=now.motion.links + step.links)
    return now.replace(motion=motion, impulses=(joints, normals, tangents))


def _springs(
    jacobian: jax.Array, follows: jax.Array, stiff: Sequence[jax.Array], pulls: Sequence[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    """Sums over rows of pushes k J^T, [legs, 5, 5, N], and of pushes pull, [legs, 5, N]."""
    joints, normals, tangents = by_kind(jacobian)
    kinds = zip((joints, normals + follows[:, :, None] * tangents, tangents), stiff, (joints, normals, tangents), pulls)
    rows = [row for kind in kinds for row in zip(*kind)]
    springs = sum(push[:, :, None] * (k[:, None] * jac)[:, None] for push, k, jac, _ in rows)
    return jnp.asarray(springs), jnp.asarray(sum(push * pull[:, None] for push, _, _, pull in rows))


def _solve_arrow(mass: MassMatrix, springs: jax.Array, pull: jax.Array) -> Motion:
    """The motion d of (A + springs) d = pull: legs eliminated in closed form, then the hull, then the legs."""
    (a, b), (c, d) = ([mass.leg[i, j] + springs[:, 3 + i, 3 + j] for j in range(2)] for i in range(2))
    scale = 1.0 / (a * d - b * c)
    inverse = [[(x * scale)[:, None] for x in row] for row in ((d, -b), (-c, a))]
    by_upper, by_lower = springs[:, :3, 3], springs[:, :3, 4]  # hull by leg, [legs, 3, N]
    upper, lower = (by_upper * inverse[0][i] + by_lower * inverse[1][i] for i in range(2))
    hull = springs[:, :3, :3] - upper[:, :, None] * springs[:, 3, None, :3] - lower[:, :, None] * springs[:, 4, None, :3]
    force = pull[:, :3] - upper * pull[:, 3, None] - lower * pull[:, 4, None]
    moved = _solve_three(mass.hull + sum(hull), jnp.asarray(sum(force)))
    one, two = ((pull[:, i] - (springs[:, i, :3] * moved[None]).sum(1))[:, None] for i in (3, 4))
    links = jnp.concatenate([row[0] * one + row[1] * two for row in inverse], axis=1)
    return Motion(hull=moved, links=links.swapaxes(0, 1))


def _solve_three(matrix: jax.Array, right: jax.Array) -> jax.Array:
    """x of matrix [3, 3, N] x = right [3, N], by cross products of the rows."""
    first, second, third = matrix
    crossed = [_cross(second, third), _cross(third, first), _cross(first, second)]
    return sum(r[None] * c for r, c in zip(right, crossed)) / (first * crossed[0]).sum(0)[None]


def _cross(a: jax.Array, b: jax.Array) -> jax.Array:
    return jnp.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])
