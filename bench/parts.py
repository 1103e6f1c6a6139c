"""Where a walker's step spends its time: how much shorter it is without each part.

Default body on Stump Tracks, 1,024 walkers, one core. Each part is replaced by something that costs
next to nothing and keeps the shapes; what its absence saves in the programs around it counts as its
own, so the parts need not add up to the whole. Programs differ for other reasons too: the hull's
part came out at -220 and at 42 ns in two processes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

from bench.measure import difference_in_seconds, pin, seconds
from bench.walkers import NUM_STEPS, rollout

COLUMNS = ("what", "ns/step", "share %")
WALKERS = 1024


def measure(quick: bool) -> list[dict[str, Any]]:
    """A row for the whole step and one a part, without the task pool, and one for the pool."""
    steps, repeats = WALKERS * NUM_STEPS / 1e9, 9 if quick else 25
    whole = rollout("default", WALKERS, pool=False)
    total = seconds(whole, 10) / steps
    rows = [{"what": "whole step", "ns/step": total, "share %": 100.0}]
    for name, (place, replacement) in _parts().items():
        with mock.patch(f"jaxcurriculum.envs.walker.{place}", replacement):
            without = rollout("default", WALKERS, pool=False)
            cost = difference_in_seconds(whole, without, repeats) / steps
        rows.append({"what": name, "ns/step": cost, "share %": 100 * cost / total})
    cost = difference_in_seconds(rollout("default", WALKERS, pool=True), whole, repeats) / steps
    return [*rows, {"what": "task pool, on top", "ns/step": cost, "share %": 100 * cost / total}]


def _parts() -> dict[str, tuple[str, Callable[..., Any]]]:
    """For each part the name of its function below `envs.walker` and what stands in for it."""
    import jax
    import jax.numpy as jnp

    from jaxcurriculum.envs.walker.engine.contact import link_contacts
    from jaxcurriculum.envs.walker.engine.kinematics import TIME_STEP
    from jaxcurriculum.envs.walker.engine.rows import make_rows
    from jaxcurriculum.envs.walker.engine.surfaces import FAR
    from jaxcurriculum.envs.walker.engine.terrain import Window

    def like(
        function: Callable[..., Any], seed: Callable[..., jax.Array], value: float
    ) -> Callable[..., Any]:
        """What `function` returns, all numbers a `value` from `seed` that no compiler knows."""

        def replacement(*arguments):
            unknown = value + 0.0 * seed(*arguments)

            def fill(leaf):
                return jnp.broadcast_to(unknown, leaf.shape).astype(leaf.dtype)

            return jax.tree.map(fill, jax.eval_shape(function, *arguments))

        return replacement

    def free_poses(walker, start, velocity, active):
        return start.after(TIME_STEP, velocity)

    def first_obstacles(level, start, stretch):
        shown = level.density.most(stretch)
        obstacles = jax.tree.map(lambda table: table[:shown], level.obstacles)
        return Window(None, None, obstacles, level.density)

    return {
        "obstacles around a walker (memory)": ("environment.window_at", first_obstacles),
        "collision: links against the track": (
            "engine.dynamics.link_contacts",
            like(link_contacts, lambda walker, window, tops, shape: tops[0, 0, 0], FAR),
        ),
        "collision: choice of two contacts a link": (
            "engine.dynamics.deepest",
            lambda pairs, centres: jax.tree.map(lambda x: x[..., :2, :, :, :], pairs),
        ),
        "rows": (
            "engine.dynamics.make_rows",
            like(make_rows, lambda mass, tops, contacts: tops[0, 0, 0], 0.1),
        ),
        "solver: sweeps": (
            "engine.solver.gauss_seidel",
            lambda problem, solution, num_sweeps: solution,
        ),
        "solver: Newton steps": ("engine.solver.newton_step", lambda problem, now: now),
        "passes over positions": ("engine.dynamics.correct_positions", free_poses),
        "impacts": (
            "engine.dynamics.stop_at_impact",
            lambda walker, pairs, contacts, flight: (flight, contacts.gap[0] > FAR),
        ),
        "hull against the track": (
            "environment.hull_touches",
            lambda walker, window, pose: pose[1] < -FAR,
        ),
        "lidar": (
            "senses.lidar",
            lambda window, origin: jnp.broadcast_to(origin[0], (10, origin.shape[-1])),
        ),
    }


if __name__ == "__main__":
    from bench.report import main

    pin(1)
    main(measure)
