"""A Newton step of the solver: all rows inside their bounds at once."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxcurriculum.device.xla import short_sum
from jaxcurriculum.envs.walker.engine.kinematics import Limits
from jaxcurriculum.envs.walker.engine.mass import MassMatrix, Motion
from jaxcurriculum.envs.walker.engine.problem import Bounds, Problem, Solution, limited
from jaxcurriculum.envs.walker.engine.rows import JOINTS, NORMALS, TANGENTS, row_speeds

# of a row inside its bounds, in row masses; not quite rigid, as rows may say the same thing twice
STIFFNESS = 100.0


def newton_step(problem: Problem, now: Solution) -> Solution:
    """One Newton step on the natural map of all rows.

    Rows inside their bounds become stiff springs to the speed that they want, k = STIFFNESS mass;
    the others take their bound. A tangent that slips follows its normal, so an impulse of that
    normal pushes along both. With d the change of the motion,

        (A + sum push k J^T) d = sum push (inside: k (wanted speed - speed),
                                           at a bound: bound - impulse).
    """
    rows, mass, bounds = problem
    normals = slice(NORMALS.start, NORMALS.stop)
    tangents = slice(TANGENTS.start, TANGENTS.stop)
    old = now.impulses
    jacobian = rows.jacobian
    stop = old - rows.mass * row_speeds(jacobian, now.motion)
    bound, is_inside = _all_bounded(bounds, rows.mass, stop, old[normals])
    stiffness = jnp.where(is_inside, STIFFNESS * rows.mass, 0.0)
    pull = jnp.where(is_inside, STIFFNESS, 1.0) * (bound - old)
    slips = is_inside[normals] & ~is_inside[tangents]
    # tangential by normal impulse
    slope = bounds.friction * jnp.sign(stop[tangents])
    slope = jnp.where(slips, slope, 0.0)
    of_joints, of_tangents = jacobian[: len(JOINTS)], jacobian[tangents]
    of_normals = jacobian[normals] + slope[:, :, None] * of_tangents
    push = jnp.concatenate([of_joints, of_normals, of_tangents])

    step = _solve_arrow(mass, _springs(push, jacobian, stiffness, pull))
    new = old + pull - stiffness * row_speeds(jacobian, step)
    change = new[normals] - old[normals]
    following = new[tangents] + slope * change
    new = jnp.concatenate([new[: TANGENTS.start], following])
    motion = Motion(
        hull=now.motion.hull + step.hull,
        links=now.motion.links + step.links,
    )
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
    bounded = limited(_of_all_rows(bounds.at), driven, stop)
    is_between = (low < wanted) & (wanted < high)
    return bounded, is_between | (bounded != driven)


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
    pairs = zip(push[:, :, :, None], columns[:, :, None])
    return jnp.asarray(sum(row * column for row, column in pairs))


def _solve_arrow(mass: MassMatrix, springs: jax.Array) -> Motion:
    """The motion d of (A + springs) d = pull: legs eliminated in closed form, then the hull, then
    the legs.
    """
    pull = springs[:, :, 5]
    uu, ul, lu, ll = _leg_inverse(mass.leg, springs)
    # hull by leg, [legs, 3, N]
    by_upper, by_lower = springs[:, :3, 3], springs[:, :3, 4]
    upper = by_upper * uu + by_lower * lu
    lower = by_upper * ul + by_lower * ll
    eliminated_upper = upper[:, :, None] * springs[:, 3, None, :3]
    eliminated_lower = lower[:, :, None] * springs[:, 4, None, :3]
    hull = springs[:, :3, :3] - eliminated_upper - eliminated_lower
    force = pull[:, :3] - upper * pull[:, 3, None]
    force = force - lower * pull[:, 4, None]
    matrix = mass.hull + sum(hull)
    moved = _solve_three(matrix, jnp.asarray(sum(force)))

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
    numerator = sum(r[None] * c for r, c in zip(right, crossed))
    return numerator / determinant[None]
