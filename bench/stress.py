"""10^7 random steps over all bodies and tracks: numbers that are not finite, links inside the
track, joints past their limits.
"""

from __future__ import annotations

from typing import Any

MEASURED = (
    "not finite",
    "deepest m",
    "deeper than 0.1 m",
    "past limit rad",
    "its 99.99 %",
    "over 0.1 rad",
    "seconds",
)
COLUMNS = ("body", "track", "steps", *MEASURED)
BODIES = ("default", "short", "long", "quadruped")
WALKERS, HOLD = 512, 5  # side by side; steps that an action is held
DEEP, PAST = 0.1, 0.1  # m, rad
STRETCH, ABOVE = 70.0, 0.1  # m: how much of the track walkers begin on, how high above it


def measure(quick: bool) -> list[dict[str, Any]]:
    """A row a body and track; all rows together make 10^7 steps, or with `quick` a hundredth."""
    from jaxcurriculum import envs

    tracks = (
        envs.stump_tracks,
        envs.hexagon_tracks,
        envs.stump_sequences,
        envs.bipedal_walker,
        _hardcore,
        envs.obstacle_tracks,
    )
    num_steps = -(-(10**5 if quick else 10**7) // (len(BODIES) * len(tracks) * WALKERS))
    return [_row(body, track(body), num_steps) for body in BODIES for track in tracks]


def _hardcore(body: str):
    from jaxcurriculum import envs

    return envs.bipedal_walker(body, hardcore=True)


def _row(body: str, env, num_steps: int) -> dict[str, Any]:
    import time

    import numpy as np

    start = time.perf_counter()
    finite, depth, past = (np.asarray(x) for x in rollout(body, env, num_steps))
    return {
        "body": body,
        "track": env.name,
        "steps": finite.size,
        "not finite": int((~finite).sum()),
        "deepest m": float(depth.max()),
        "deeper than 0.1 m": int((depth > DEEP).sum()),
        "past limit rad": float(past.max()),
        "its 99.99 %": float(np.quantile(past, 0.9999)),
        "over 0.1 rad": int((past > PAST).sum()),
        "seconds": time.perf_counter() - start,
    }


def rollout(body: str, env, num_steps: int):
    """Whether all is finite, depth of the deepest link corner or obstacle corner (m), joints past
    limits (rad): [num_steps, WALKERS] each.

    A walker begins somewhere on its track, above all that stands there, and begins there anew when
    it ends. The depth of links is measured after each step, at the poses that it led to.
    """
    import jax
    import jax.numpy as jnp
    import numpy as np

    from jaxcurriculum.envs.walker.bodies import anatomy, get_body
    from jaxcurriculum.envs.walker.engine.contact import MARGIN, link_contacts
    from jaxcurriculum.envs.walker.engine.kinematics import (
        link_angles,
        link_corners,
        link_tops,
        posture,
    )
    from jaxcurriculum.envs.walker.engine.surfaces import FAR, GROUND, Columns
    from jaxcurriculum.envs.walker.engine.terrain import NOWHERE, right_ends
    from jaxcurriculum.envs.walker.environment import surroundings

    walker = jax.tree.map(lambda x: x[..., None], anatomy(get_body(body)))
    lower, upper = (
        np.array(limits)[:, None, None]
        for limits in (walker.body.joint_lower, walker.body.joint_upper)
    )
    key = jax.random.key(0)
    keys = jax.random.split(key, WALKERS)
    batch_last = lambda tree: jax.tree.map(lambda x: jnp.moveaxis(x, 0, -1), tree)

    def drop(levels, states):
        pose = states.hull_pose.at[:, 0].add(jax.random.uniform(key, (WALKERS,), maxval=STRETCH))
        window = surroundings(walker, batch_last(levels), pose.T)
        ground = jnp.full((1, WALKERS), GROUND) if window.heights is None else window.heights
        tops = [ground.max(0)]
        if window.obstacles is not None:
            obstacles = (
                window.obstacles.top
                if isinstance(window.obstacles, Columns)
                else window.obstacles.vertices[1].max(1)
            )
            tops.append(
                jnp.where(right_ends(window.obstacles) < NOWHERE / 2, obstacles, GROUND).max(0)
            )
        return states.replace(hull_pose=pose.at[:, 1].add(jnp.stack(tops).max(0) - GROUND + ABOVE))

    def depth_of(levels, states):
        levels, states = batch_last(levels), batch_last(states)
        shape = posture(
            walker, states.hull_pose[2], link_angles(walker, states.hull_pose[2], states.joints)
        )
        tops = link_tops(walker, states.hull_pose, shape) + states.offset
        window, corners = (
            surroundings(walker, levels, states.hull_pose),
            link_corners(walker, tops, shape.axis),
        )
        pairs, reach = link_contacts(walker, window, tops, shape), walker.span.link / 2 + MARGIN
        near = window.near(corners[0].mean(0) - reach, 2 * reach)
        gap = jnp.concatenate(
            [
                jnp.where(pairs.on_link > 0, pairs.gap, FAR),
                *[surface.outside(corners).gap for surface in near],
            ]
        )
        past = jnp.maximum(lower - states.joints, states.joints - upper)
        return -gap.min((0, 1, 2)), past.max((0, 1))

    @jax.jit
    def run(key):
        levels = jax.vmap(env.generate)(keys, jax.vmap(env.task_space.sample)(keys))
        reset = drop(levels, jax.vmap(env.reset)(keys, levels)[0])

        def step(states, number):
            actions = jax.random.uniform(
                jax.random.fold_in(key, number // HOLD),
                (WALKERS, env.action_space.dims),
                minval=-1,
                maxval=1,
            )
            new, now = jax.vmap(env.step, in_axes=(None, 0, 0, 0))(key, levels, states, actions)
            numbers = [
                leaf.reshape(WALKERS, -1) for leaf in jax.tree.leaves((new, now.obs, now.reward))
            ]
            finite = jnp.isfinite(jnp.concatenate(numbers, axis=1)).all(1)
            depth, past = depth_of(levels, new)
            begin = now.terminated | ~finite | (number % 1000 == 999)
            choose = lambda fresh, old: jnp.where(
                begin.reshape(-1, *[1] * (old.ndim - 1)), fresh, old
            )
            return jax.tree.map(choose, reset, new), (finite, depth, past)

        return jax.lax.scan(step, reset, jnp.arange(num_steps))[1]

    return run(key)


if __name__ == "__main__":
    from bench.measure import pin
    from bench.report import main

    pin(1)
    main(measure)
