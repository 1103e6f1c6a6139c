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

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.envs.walker.engine.kinematics import fold
from jaxcurriculum.envs.walker.engine.mass import MassMatrix, Motion
from jaxcurriculum.envs.walker.engine.rows import JOINTS, NORMALS, TANGENTS, Rows, row_speeds

ROUNDS = 2  # of Newton steps and sweeps, after one of sweeps alone
NEWTON_STEPS = 2  # a round
SWEEPS = 3  # in every round
# the same for more than two legs, which take longer to agree on how the hull moves
SWEEPS_MANY_LEGS = 12
# of a row inside its bounds, in row masses: rows may say the same thing twice, so they are not
# quite rigid
STIFFNESS = 100.0
# a round is undone when its last sweep still changed this many times what the last sweep before it
# changed
WORSE = 10.0


class Bounds(struct.PyTreeNode):
    """What impulses may do. Tangents have no entry: they aim at rest, and friction times the
    impulse of their normal bounds them.
    """

    # [6 (joints, normals), legs, N]: the speed that a row is to have, m/s or rad/s
    target: jax.Array
    low: jax.Array  # [6, legs, N]: least impulse, N m s or N s
    high: jax.Array  # [6, legs, N]: largest
    at_lower: jax.Array  # [2 (joints), legs, N]: whether a joint may not turn further down
    at_upper: jax.Array  # [2, legs, N]: or further up
    friction: float = struct.field(
        pytree_node=False
    )  # largest tangential impulse in normal impulses


class Solution(struct.PyTreeNode):
    """A motion, the impulses that make it so, and how far the last sweep still changed them."""

    motion: Motion
    impulses: jax.Array  # [10 (rows), legs, N]
    change: jax.Array  # [N], J: sum of change^2 / mass over the rows of the last sweep


def solve(
    rows: Rows, mass: MassMatrix, bounds: Bounds, motion: Motion, impulses: jax.Array
) -> tuple[Motion, jax.Array]:
    """The motion under impulses that `bounds` allow, and the impulses, from a first guess of
    them [10, legs, N].
    """

    num_sweeps = SWEEPS if rows.mass.shape[1] <= 2 else SWEEPS_MANY_LEGS

    def newton_and_sweeps(number, before):
        num_steps = jnp.where(
            number > 0, NEWTON_STEPS, 0
        )  # the first round only sweeps, to find which rows are inside their bounds
        after = jax.lax.fori_loop(
            0, num_steps, lambda _, now: _newton_step(rows, mass, bounds, now), before
        )
        # Friction can make a step's matrix nearly singular; then its motion is not what its
        # impulses do.
        after = gauss_seidel(
            rows, bounds, after.replace(motion=_under(rows, motion, after.impulses)), num_sweeps
        )
        better = after.change < WORSE * before.change
        return jax.tree.map(
            lambda new, old: jnp.where(better.reshape(*[1] * (new.ndim - 1), -1), new, old),
            after,
            before,
        )

    first = Solution(
        motion=_under(rows, motion, impulses),
        impulses=impulses,
        change=jnp.full_like(motion.hull[0], jnp.inf),
    )
    solution = jax.lax.fori_loop(0, 1 + ROUNDS, newton_and_sweeps, first)
    return solution.motion, solution.impulses


def _under(rows: Rows, motion: Motion, impulses: jax.Array) -> Motion:
    """What impulses [10, legs, N] make of a motion."""
    pushed = fold(jnp.add, rows.response * impulses[:, :, None])  # [legs, 5, N]
    return Motion(
        hull=motion.hull + fold(jnp.add, pushed[:, :3]),
        links=motion.links + pushed[:, 3:].swapaxes(0, 1),
    )


def gauss_seidel(rows: Rows, bounds: Bounds, solution: Solution, num_sweeps: int) -> Solution:
    """Sweeps: every row, leg by leg, takes the impulse that stops it, as far as its bound allows.

    At least two: XLA inlines a loop of one, and the program that results takes minutes to compile.
    """
    num_legs = rows.mass.shape[1]
    order = [(row, leg) for leg in range(num_legs) for row in (*JOINTS, *TANGENTS, *NORMALS)]

    def allowed(row, leg, stop, impulses):
        if row in TANGENTS:
            hold = bounds.friction * jnp.maximum(impulses[row - len(NORMALS), leg], 0.0)
            return jnp.clip(stop, -hold, hold)
        driven = jnp.clip(
            stop + bounds.target[row, leg] * rows.mass[row, leg],
            bounds.low[row, leg],
            bounds.high[row, leg],
        )
        if row in NORMALS:
            return driven
        held = jnp.where(bounds.at_lower[row, leg], jnp.maximum(driven, stop), driven)
        return jnp.where(bounds.at_upper[row, leg], jnp.minimum(held, stop), held)

    def sweep(_, carry):
        hull, links, before = carry[0], list(carry[1]), carry[2]
        impulses = dict(before)
        for row, leg in order:
            jacobian, response = rows.jacobian[row, leg], rows.response[row, leg]
            rate = sum(jacobian[i] * speed for i, speed in enumerate([*hull, *links[leg]]))
            impulse = allowed(row, leg, impulses[row, leg] - rows.mass[row, leg] * rate, impulses)
            change = impulse - impulses[row, leg]
            hull, links[leg] = (
                hull + response[:3] * change[None],
                links[leg] + response[3:] * change[None],
            )
            impulses[row, leg] = impulse
        return hull, tuple(links), impulses, before

    links = tuple(solution.motion.links[:, leg] for leg in range(num_legs))
    impulses = {(row, leg): solution.impulses[row, leg] for row, leg in order}
    hull, links, *both = jax.lax.fori_loop(
        0, num_sweeps, sweep, (solution.motion.hull, links, impulses, impulses)
    )
    solved, before = (
        jnp.stack(
            [jnp.stack([x[row, leg] for leg in range(num_legs)]) for row in range(len(rows.mass))]
        )
        for x in both
    )
    change = fold(jnp.add, fold(jnp.add, (solved - before) ** 2 / rows.mass))
    return Solution(
        motion=Motion(hull=hull, links=jnp.stack(links, axis=1)), impulses=solved, change=change
    )


def _newton_step(rows: Rows, mass: MassMatrix, bounds: Bounds, now: Solution) -> Solution:
    """One Newton step on the natural map of all rows.

    Rows inside their bounds become stiff springs to the speed that they want, k = STIFFNESS mass;
    the others take their bound. A tangent that slips follows its normal, so an impulse of that
    normal pushes along both. With d the change of the motion,

        (A + sum push k J^T) d = sum push (k (wanted speed - speed) inside, bound - impulse at a
        bound).
    """
    old, normals, tangents = now.impulses, slice(NORMALS[0], TANGENTS[0]), slice(TANGENTS[0], None)
    stop = old - rows.mass * row_speeds(rows.jacobian, now.motion)
    bound, inside = _allowed(bounds, rows.mass, stop, old[normals])
    stiff = jnp.where(inside, STIFFNESS * rows.mass, 0.0)
    pull = jnp.where(inside, STIFFNESS, 1.0) * (bound - old)
    slips = inside[normals] & ~inside[tangents]
    follows = jnp.where(
        slips, bounds.friction * jnp.sign(stop[tangents]), 0.0
    )  # tangential by normal impulse
    push = jnp.concatenate(
        [
            rows.jacobian[: NORMALS[0]],
            rows.jacobian[normals] + follows[:, :, None] * rows.jacobian[tangents],
            rows.jacobian[tangents],
        ]
    )
    step = _solve_arrow(mass, _springs(push, rows.jacobian, stiff, pull))
    new = old + pull - stiff * row_speeds(rows.jacobian, step)
    new = jnp.concatenate(
        [new[: TANGENTS[0]], new[tangents] + follows * (new[normals] - old[normals])]
    )
    motion = Motion(hull=now.motion.hull + step.hull, links=now.motion.links + step.links)
    return now.replace(motion=motion, impulses=new)


def _allowed(
    bounds: Bounds, mass: jax.Array, stop: jax.Array, normals: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The impulses allowed to rows that the impulses `stop` [10, legs, N] bring to rest, and
    whether they follow `stop`.
    """
    hold = bounds.friction * jnp.maximum(normals, 0.0)
    low, high = jnp.concatenate([bounds.low, -hold]), jnp.concatenate([bounds.high, hold])
    wanted = stop + mass * jnp.concatenate([bounds.target, jnp.zeros_like(hold)])
    driven = jnp.clip(wanted, low, high)
    never = jnp.zeros((len(NORMALS) + len(TANGENTS), *bounds.at_lower.shape[1:]), bool)
    held = jnp.where(jnp.concatenate([bounds.at_lower, never]), jnp.maximum(driven, stop), driven)
    held = jnp.where(jnp.concatenate([bounds.at_upper, never]), jnp.minimum(held, stop), held)
    return held, ((low < wanted) & (wanted < high)) | (held != driven)


def _springs(push: jax.Array, jacobian: jax.Array, stiff: jax.Array, pull: jax.Array) -> jax.Array:
    """Sums over rows of push k J^T and, in the last column, of push pull: [legs, 5, 6, N]."""
    scaled = jnp.concatenate([stiff[:, :, None] * jacobian, pull[:, :, None]], axis=2)
    return jnp.asarray(sum(row[:, :, None] * other[:, None] for row, other in zip(push, scaled)))


def _solve_arrow(mass: MassMatrix, springs: jax.Array) -> Motion:
    """The motion d of (A + springs) d = pull: legs eliminated in closed form, then the hull,
    then the legs.
    """
    pull = springs[:, :, 5]
    (a, b), (c, d) = (
        [mass.leg[i, j] + springs[:, 3 + i, 3 + j] for j in range(2)] for i in range(2)
    )
    scale = 1.0 / (a * d - b * c)
    inverse = [[(x * scale)[:, None] for x in row] for row in ((d, -b), (-c, a))]
    by_upper, by_lower = springs[:, :3, 3], springs[:, :3, 4]  # hull by leg, [legs, 3, N]
    upper, lower = (by_upper * inverse[0][i] + by_lower * inverse[1][i] for i in range(2))
    hull = (
        springs[:, :3, :3]
        - upper[:, :, None] * springs[:, 3, None, :3]
        - lower[:, :, None] * springs[:, 4, None, :3]
    )
    force = pull[:, :3] - upper * pull[:, 3, None] - lower * pull[:, 4, None]
    moved = _solve_three(mass.hull + sum(hull), jnp.asarray(sum(force)))
    one, two = (
        (pull[:, i] - fold(jnp.add, springs[:, i, :3] * moved[None], 1))[:, None] for i in (3, 4)
    )
    links = jnp.concatenate([row[0] * one + row[1] * two for row in inverse], axis=1)
    return Motion(hull=moved, links=links.swapaxes(0, 1))


def _solve_three(matrix: jax.Array, right: jax.Array) -> jax.Array:
    """x of matrix [3, 3, N] x = right [3, N], by cross products of the rows."""
    first, second, third = matrix
    crossed = [
        jnp.cross(a, b, axis=0) for a, b in ((second, third), (third, first), (first, second))
    ]
    return (
        sum(r[None] * c for r, c in zip(right, crossed)) / fold(jnp.add, first * crossed[0])[None]
    )
