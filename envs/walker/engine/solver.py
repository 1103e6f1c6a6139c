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

from jaxcurriculum import tree
from jaxcurriculum.device.xla import short_sum
from jaxcurriculum.envs.walker.engine.mass import Motion
from jaxcurriculum.envs.walker.engine.newton import newton_step
from jaxcurriculum.envs.walker.engine.problem import Problem, Solution
from jaxcurriculum.envs.walker.engine.rows import JOINTS, NORMALS, TANGENTS, Rows

ROUNDS = 2  # of Newton steps and sweeps, after one of sweeps alone
NEWTON_STEPS = 2  # a round
SWEEPS = 3  # in every round
# the same for more than two legs, which take longer to agree on how the hull moves
SWEEPS_MANY_LEGS = 12
# A round is undone when its last sweep changed this many times what the last one before it changed.
WORSE = 10.0


def solve(problem: Problem, motion: Motion, impulses: jax.Array) -> tuple[Motion, jax.Array]:
    """The motion under impulses that the bounds allow, and the impulses, from a first guess of them
    [10, legs, N].
    """
    rows = problem.rows
    num_sweeps = SWEEPS if rows.mass.shape[1] <= 2 else SWEEPS_MANY_LEGS

    def one_newton_step(_, now):
        return newton_step(problem, now)

    def newton_and_sweeps(number, before):
        # The first round only sweeps, to find which rows are inside their bounds.
        num_steps = jnp.where(number > 0, NEWTON_STEPS, 0)
        after = jax.lax.fori_loop(0, num_steps, one_newton_step, before)
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
    hull, links = pushed[:, :3], pushed[:, 3:]
    return Motion(
        hull=motion.hull + short_sum(hull),
        links=motion.links + links.swapaxes(0, 1),
    )


def gauss_seidel(problem: Problem, solution: Solution, num_sweeps: int) -> Solution:
    """Sweeps: every row, leg by leg, takes the impulse that stops it, as far as its bound allows.

    At least two: XLA inlines a loop of one, and the program that results takes minutes to compile.
    """
    rows, bounds = problem.rows, problem.bounds
    legs = range(rows.mass.shape[1])
    of_leg = [*JOINTS, *TANGENTS, *NORMALS]
    order = [(row, leg) for leg in legs for row in of_leg]

    def sweep(_, carry):
        hull, links, before, _ = carry
        links, impulses = list(links), dict(before)
        for place in order:
            row, leg = place
            mass, response = rows.mass[place], rows.response[place]
            old = impulses[place]
            speed = _speed(rows.jacobian[place], [*hull, *links[leg]])
            stop = old - mass * speed
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
    entries = enumerate(motion)
    return jnp.asarray(sum(jacobian[i] * rate for i, rate in entries))
