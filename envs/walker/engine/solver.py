"""The impulses of all rows: projected Gauss-Seidel, with Newton steps between the sweeps.

Each row wants its natural map to hold: impulse = bound(impulse - mass * speed). A sweep of
Gauss-Seidel makes it hold for one row after another. That is slow where a light leg carries a heavy
hull: a foot that is stopped bends the knee, and the knee's limit presses the foot down again. A
Newton step solves for all rows that are inside their bounds at once, and the sweeps then mend the
bounds: the subspace minimisation of Silcowitz-Hansen et al. 2010 ("A projected Gauss-Seidel
subspace minimization method ..."), here in the coordinates of the motion, of which there are three
for the hull and two a leg, however many rows there are.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum import tree
from jaxcurriculum.device.xla import short_sum
from jaxcurriculum.envs.walker.engine.kinematics import Limits
from jaxcurriculum.envs.walker.engine.mass import MassMatrix, Motion
from jaxcurriculum.envs.walker.engine.rows import JOINTS, NORMALS, TANGENTS, Rows, row_speeds

ROUNDS = 2  # of Newton steps and sweeps, after one of sweeps alone
NEWTON_STEPS = 2  # a round
SWEEPS = 3  # in every round
# the same for more than two legs, which take longer to agree on how the hull moves
SWEEPS_MANY_LEGS = 12
# of a row inside its bounds, in row masses; not quite rigid, as rows may say the same thing twice
STIFFNESS = 100.0
# A round is undone when its last sweep changed this many times what the last one before it changed.
WORSE = 10.0


class Bounds(struct.PyTreeNode):
    """What impulses may do. Tangents have no entry: they aim at rest, and friction times the
    impulse of their normal bounds them.
    """

    # [6 (joints, normals), legs, N]: the speed that a row is to have, m/s or rad/s
    target: jax.Array
    low: jax.Array  # [6, legs, N]: least impulse, N m s or N s
    high: jax.Array  # [6, legs, N]: largest
    at: Limits  # [2 (joints), legs, N] bool: whether a joint may not rotate further
    # largest tangential impulse in normal impulses
    friction: float = struct.field(pytree_node=False)

    def tangential(self, stop: jax.Array, normal: jax.Array) -> jax.Array:
        """The impulse of a tangent that `stop` [N] brings to rest, beside a `normal` impulse."""
        most = self.friction * jnp.maximum(normal, 0.0)
        return jnp.clip(stop, -most, most)

    def of_row(self, place: tuple[int, int], stop: jax.Array, mass: jax.Array) -> jax.Array:
        """The impulse of another row (row, leg) that `stop` [N] brings to rest."""
        driven = stop + self.target[place] * mass
        driven = jnp.clip(driven, self.low[place], self.high[place])
        if place[0] in NORMALS:
            return driven
        limited = jnp.where(self.at.lower[place], jnp.maximum(driven, stop), driven)
        return jnp.where(self.at.upper[place], jnp.minimum(limited, stop), limited)


class Problem(NamedTuple):
    """Rows, what their impulses may do, and the masses that they move."""

    rows: Rows
    mass: MassMatrix
    bounds: Bounds


class Solution(struct.PyTreeNode):
    """A motion, the impulses that make it so, and how far the last sweep still changed them."""

    motion: Motion
    impulses: jax.Array  # [10 (rows), legs, N]
    change: jax.Array  # [N], J: sum of change^2 / mass over the rows of the last sweep


def solve(problem: Problem, motion: Motion, impulses: jax.Array) -> tuple[Motion, jax.Array]:
    """The motion under impulses that the bounds allow, and the impulses, from a first guess of them
    [10, legs, N].
    """
    rows = problem.rows
    num_sweeps = SWEEPS if rows.mass.shape[1] <= 2 else SWEEPS_MANY_LEGS

    def newton_step(_, now):
        return _newton_step(problem, now)

    def newton_and_sweeps(number, before):
        # The first round only sweeps, to find which rows are inside their bounds.
        num_steps = jnp.where(number > 0, NEWTON_STEPS, 0)
        after = jax.lax.fori_loop(0, num_steps, newton_step, before)
        # Friction can make a step's matrix nearly singular; then its motion is not what its
        # impulses do.
        after = after.replace(motion=_under(rows, motion, after.impulses))
        after = gauss_seidel(problem, after, num_sweeps)
        is_better = after.change < WORSE * before.change
        return tree.where(is_better, after, before, axis=-1)

    first = Solution(
        motion=_under(rows, motion, impulses),
        impulses=impulses,
        change=jnp.full_like(motion.hull[0], jnp.inf),
    )
    solution = jax.lax.fori_loop(0, 1 + ROUNDS, newton_and_sweeps, first)
    return solution.motion, solution.impulses


def _under(rows: Rows, motion: Motion, impulses: jax.Array) -> Motion:
    """What impulses [10, legs, N] make of a motion."""
    pushed = short_sum(rows.response * impulses[:, :, None])  # [legs, 5, N]
    return Motion(
        hull=motion.hull + short_sum(pushed[:, :3]),
        links=motion.links + pushed[:, 3:].swapaxes(0, 1),
    )


def gauss_seidel(problem: Problem, solution: Solution, num_sweeps: int) -> Solution:
    """Sweeps: every row, leg by leg, takes the impulse that stops it, as far as its bound allows.

    At least two: XLA inlines a loop of one, and the program that results takes minutes to compile.
    """
    rows, bounds = problem.rows, problem.bounds
    legs = range(rows.mass.shape[1])
    order = [(row, leg) for leg in legs for row in (*JOINTS, *TANGENTS, *NORMALS)]

    def sweep(_, carry):
        hull, links, before = carry[0], list(carry[1]), carry[2]
        impulses = dict(before)
        for place in order:
            row, leg = place
            mass, response = rows.mass[place], rows.response[place]
            old = impulses[place]
            stop = old - mass * _speed(rows.jacobian[place], [*hull, *links[leg]])
            if row in TANGENTS:
                normal = impulses[row - len(NORMALS), leg]
                impulses[place] = bounds.tangential(stop, normal)
            else:
                impulses[place] = bounds.of_row(place, stop, mass)
            change = (impulses[place] - old)[None]
            hull = hull + response[:3] * change
            links[leg] = links[leg] + response[3:] * change
        return hull, tuple(links), impulses, before

    links = tuple(solution.motion.links[:, leg] for leg in legs)
    impulses = {place: solution.impulses[place] for place in order}
    start = solution.motion.hull, links, impulses, impulses
    hull, links, solved, before = jax.lax.fori_loop(0, num_sweeps, sweep, start)

    def stacked(impulses):
        by_row = [[impulses[row, leg] for leg in legs] for row in range(len(rows.mass))]
        return jnp.stack([jnp.stack(of_legs) for of_legs in by_row])

    solved, before = stacked(solved), stacked(before)
    change = short_sum(short_sum((solved - before) ** 2 / rows.mass))
    motion = Motion(hull=hull, links=jnp.stack(links, axis=1))
    return Solution(motion=motion, impulses=solved, change=change)


def _speed(jacobian: jax.Array, motion: list[jax.Array]) -> jax.Array:
    """The speed along one row [5, N]."""
    return jnp.asarray(sum(jacobian[i] * rate for i, rate in enumerate(motion)))


def _newton_step(problem: Problem, now: Solution) -> Solution:
    """One Newton step on the natural map of all rows.

    Rows inside their bounds become stiff springs to the speed that they want, k = STIFFNESS mass;
    the others take their bound. A tangent that slips follows its normal, so an impulse of that
    normal pushes along both. With d the change of the motion,

        (A + sum push k J^T) d = sum push (inside: k (wanted speed - speed),
                                           at a bound: bound - impulse).
    """
    rows, mass, bounds = problem
    normals, tangents = slice(NORMALS[0], TANGENTS[0]), slice(TANGENTS[0], None)
    old, jacobian = now.impulses, rows.jacobian
    stop = old - rows.mass * row_speeds(jacobian, now.motion)
    bound, is_inside = _all_bounded(bounds, rows.mass, stop, old[normals])
    stiffness = jnp.where(is_inside, STIFFNESS * rows.mass, 0.0)
    pull = jnp.where(is_inside, STIFFNESS, 1.0) * (bound - old)
    slips = is_inside[normals] & ~is_inside[tangents]
    # tangential by normal impulse
    slope = jnp.where(slips, bounds.friction * jnp.sign(stop[tangents]), 0.0)
    normal_push = jacobian[normals] + slope[:, :, None] * jacobian[tangents]
    push = jnp.concatenate([jacobian[: NORMALS[0]], normal_push, jacobian[tangents]])

    step = _solve_arrow(mass, _springs(push, jacobian, stiffness, pull))
    new = old + pull - stiffness * row_speeds(jacobian, step)
    following = new[tangents] + slope * (new[normals] - old[normals])
    new = jnp.concatenate([new[: TANGENTS[0]], following])
    motion = Motion(hull=now.motion.hull + step.hull, links=now.motion.links + step.links)
    return now.replace(motion=motion, impulses=new)


def _all_bounded(
    bounds: Bounds, mass: jax.Array, stop: jax.Array, normals: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The impulses allowed to rows that the impulses `stop` [10, legs, N] bring to rest, and
    whether they follow `stop`.
    """
    most = bounds.friction * jnp.maximum(normals, 0.0)
    low = jnp.concatenate([bounds.low, -most])
    high = jnp.concatenate([bounds.high, most])
    target = jnp.concatenate([bounds.target, jnp.zeros_like(most)])
    wanted = stop + mass * target
    driven = jnp.clip(wanted, low, high)
    at_lower, at_upper = _of_all_rows(bounds.at)
    limited = jnp.where(at_lower, jnp.maximum(driven, stop), driven)
    limited = jnp.where(at_upper, jnp.minimum(limited, stop), limited)
    is_between = (low < wanted) & (wanted < high)
    return limited, is_between | (limited != driven)


def _of_all_rows(at: Limits) -> Limits:
    """Whether rows are those of joints at their limits, [10, legs, N] bool."""
    num_contacts = len(NORMALS) + len(TANGENTS)
    never = jnp.zeros((num_contacts, *at.lower.shape[1:]), bool)
    return Limits(*(jnp.concatenate([joints, never]) for joints in at))


def _springs(
    push: jax.Array, jacobian: jax.Array, stiffness: jax.Array, pull: jax.Array
) -> jax.Array:
    """Sums over rows of push k J^T and, in the last column, of push pull: [legs, 5, 6, N]."""
    stiff_rows = stiffness[:, :, None] * jacobian
    columns = jnp.concatenate([stiff_rows, pull[:, :, None]], axis=2)
    pairs = zip(push, columns)
    return jnp.asarray(sum(row[:, :, None] * column[:, None] for row, column in pairs))


def _solve_arrow(mass: MassMatrix, springs: jax.Array) -> Motion:
    """The motion d of (A + springs) d = pull: legs eliminated in closed form, then the hull, then
    the legs.
    """
    pull = springs[:, :, 5]
    uu, ul, lu, ll = _leg_inverse(mass.leg, springs)
    by_upper, by_lower = springs[:, :3, 3], springs[:, :3, 4]  # hull by leg, [legs, 3, N]
    upper = by_upper * uu + by_lower * lu
    lower = by_upper * ul + by_lower * ll
    eliminated_upper = upper[:, :, None] * springs[:, 3, None, :3]
    eliminated_lower = lower[:, :, None] * springs[:, 4, None, :3]
    hull = springs[:, :3, :3] - eliminated_upper - eliminated_lower
    force = pull[:, :3] - upper * pull[:, 3, None]
    force = force - lower * pull[:, 4, None]
    moved = _solve_three(mass.hull + sum(hull), jnp.asarray(sum(force)))

    def left_for(row):
        taken = short_sum(springs[:, row, :3] * moved[None], 1)
        return (pull[:, row] - taken)[:, None]

    for_upper, for_lower = left_for(3), left_for(4)
    upper_rate = uu * for_upper + ul * for_lower
    lower_rate = lu * for_upper + ll * for_lower
    links = jnp.concatenate([upper_rate, lower_rate], axis=1)
    return Motion(hull=moved, links=links.swapaxes(0, 1))


def _leg_inverse(leg: jax.Array, springs: jax.Array) -> list[jax.Array]:
    """The inverse of each leg's block [2, 2, legs, N] with its springs: upper upper, upper lower,
    lower upper, lower lower, [legs, 1, N] each.
    """
    a = leg[0, 0] + springs[:, 3, 3]
    b = leg[0, 1] + springs[:, 3, 4]
    c = leg[1, 0] + springs[:, 4, 3]
    d = leg[1, 1] + springs[:, 4, 4]
    scale = 1.0 / (a * d - b * c)
    return [(x * scale)[:, None] for x in (d, -b, -c, a)]


def _solve_three(matrix: jax.Array, right: jax.Array) -> jax.Array:
    """x of matrix [3, 3, N] x = right [3, N], by cross products of the rows."""
    first, second, third = matrix
    pairs = [(second, third), (third, first), (first, second)]
    crossed = [jnp.cross(a, b, axis=0) for a, b in pairs]
    determinant = short_sum(first * crossed[0])
    return sum(r[None] * c for r, c in zip(right, crossed)) / determinant[None]
