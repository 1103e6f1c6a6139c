"""10^7 random steps on all bodies and tracks: bad numbers, links in the track, joints too far."""

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
    finite, depth, past = map(np.asarray, rollout(body, env, num_steps))
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
    """Whether all is finite, deepest corner (m), joints past limits (rad): [num_steps, WALKERS].

    A walker begins somewhere on its track, above all that stands there, and begins there anew when
    it ends. The depth of links is measured after each step, at the poses that it led to.
    """
    import jax
    import jax.numpy as jnp
    import numpy as np

    from jaxcurriculum import tree
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
    lower = np.array(walker.body.joint_lower)[:, None, None]
    upper = np.array(walker.body.joint_upper)[:, None, None]
    key = jax.random.key(0)
    keys = jax.random.split(key, WALKERS)

    def batch_last(tree):
        return jax.tree.map(lambda x: jnp.moveaxis(x, 0, -1), tree)

    def drop(levels, states):
        pose = states.hull_pose.at[:, 0].add(jax.random.uniform(key, (WALKERS,), maxval=STRETCH))
        window = surroundings(walker, batch_last(levels), pose.T)
        ground = jnp.full((1, WALKERS), GROUND) if window.heights is None else window.heights
        tops = [ground.max(0)]
        if window.obstacles is not None:
            if isinstance(window.obstacles, Columns):
                top = window.obstacles.top
            else:
                top = window.obstacles.vertices[1].max(1)
            is_there = right_ends(window.obstacles) < NOWHERE / 2
            tops.append(jnp.where(is_there, top, GROUND).max(0))
        height = jnp.stack(tops).max(0) - GROUND + ABOVE
        return states.replace(hull_pose=pose.at[:, 1].add(height))

    def depth_of(levels, states):
        levels, states = batch_last(levels), batch_last(states)
        angle = states.hull_pose[2]
        shape = posture(walker, angle, link_angles(walker, angle, states.joints))
        tops = link_tops(walker, states.hull_pose, shape) + states.offset
        window = surroundings(walker, levels, states.hull_pose)
        corners = link_corners(walker, tops, shape.axis)
        pairs = link_contacts(walker, window, tops, shape)
        reach = walker.span.link / 2 + MARGIN
        near = window.near(corners[0].mean(0) - reach, 2 * reach)
        gaps = [surface.outside(corners).gap for surface in near]
        gap = jnp.concatenate([jnp.where(pairs.on_link > 0, pairs.gap, FAR), *gaps])
        past = jnp.maximum(lower - states.joints, states.joints - upper)
        return -gap.min((0, 1, 2)), past.max((0, 1))

    @jax.jit
    def run(key):
        levels = jax.vmap(env.generate)(keys, jax.vmap(env.task_space.sample)(keys))
        reset = drop(levels, jax.vmap(env.reset)(keys, levels)[0])

        def step(states, number):
            held = jax.random.fold_in(key, number // HOLD)
            shape = (WALKERS, env.action_space.dims)
            actions = jax.random.uniform(held, shape, minval=-1, maxval=1)
            new, now = jax.vmap(env.step, in_axes=(None, 0, 0, 0))(key, levels, states, actions)
            leaves = jax.tree.leaves((new, now.obs, now.reward))
            numbers = [leaf.reshape(WALKERS, -1) for leaf in leaves]
            finite = jnp.isfinite(jnp.concatenate(numbers, axis=1)).all(1)
            begin = now.terminated | ~finite | (number % 1000 == 999)
            return tree.where(begin, reset, new), (finite, *depth_of(levels, new))

        return jax.lax.scan(step, reset, jnp.arange(num_steps))[1]

    return run(key)


if __name__ == "__main__":
    from bench.measure import pin
    from bench.report import main

    pin(1)
    main(measure)
