"""Which bodies may begin, and what those at the bounds do."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import envs
from jaxcurriculum.envs.walker.bodies import BODIES, SIZES, anatomy
from jaxcurriculum.envs.walker.engine.kinematics import WalkerState, outline
from jaxcurriculum.envs.walker.feasibility import _points, check_feasible
from jaxcurriculum.testing.compiling import quick_jit

BIPED = dataclasses.replace(BODIES["default"], start=None, start_on_pieces=None)
UNDERGROUND = envs.Start(
    pose=(4.6, -50.0, 0.0), joints=((0.3, 0.2), (-0.8, -0.8)), velocity=((0.0,) * 5,) * 3
)


def scaled(factor):
    return tuple((factor * x, factor * y) for x, y in BIPED.hull)


@pytest.mark.parametrize("name", BODIES)
def test_the_published_bodies_fit_half_and_half_as_large_again(name):
    largest = check_feasible(BODIES[name], dict.fromkeys(SIZES, (0.5, 1.5)))
    np.testing.assert_allclose(
        largest.length[:, 0], 1.5 * np.array(BODIES[name].link_lengths), rtol=1e-6
    )


@pytest.mark.parametrize(
    ("body", "sizes", "message"),
    [
        (
            dict(hull=((-6, 0), (6, 0), (0, 1))),
            {},
            "must extend at most 4.67 m before and behind its origin .* got 6",
        ),
        ({}, {"hull_length": (1.0, 8.0)}, "must extend at most 4.67 m"),
        (dict(link_lengths=(10.0, 10.0)), {}, "at most 20 m from hull to foot, .* got 20.2"),
        (
            dict(hull=scaled(1e-3), hips=((0, 0),) * 2),
            {},
            "a hull of at least 0.0001 m.2, whatever its sizes, got 1.08e-06",
        ),
        (
            {},
            {"leg_width": (0.01, 1.0)},
            "links at least 0.01 m long and wide, whatever its sizes, got 0.00213 m",
        ),
        (
            dict(hull_density=500.0, link_density=0.05),
            {},
            "no part more than 500 times as heavy as another",
        ),
        (
            dict(hull=scaled(0.02), hips=((0, 0),) * 2, link_density=500.0),
            {},
            "no part more than 500 times as heavy as another",
        ),
        (
            dict(hull_density=25.0),
            {"hull_height": (1.0, 5.0)},
            "no part more than 500 times .* got 560",
        ),
        (
            dict(motor_torques=(80.0, 1e4)),
            {},
            "motors that lift at most 20 times its weight at a leg's length, .* got 6",
        ),
        (
            dict(hull=scaled(0.1), hips=((3.0, 0.0), (-3.0, 0.0))),
            {},
            "hips at most 2 times as far from the hull's centre as its corners",
        ),
        (dict(hips=((0.0, 2.0),) * 2), {}, "must stand on its feet .* its hull is 0.179"),
        (
            dict(start=UNDERGROUND),
            {},
            "start of body 'default' must be above the ground, .* lowest point is at -52",
        ),
        (
            dict(start=BODIES["default"].start, link_lengths=(2.0, 2.0)),
            {},
            "lowest point is at -1.56 m.* with start=None",
        ),
        (
            dict(start_on_pieces=BODIES["default"].start, joint_upper=(0.1, -0.1)),
            {},
            "start_on_pieces .* a joint is 0.187 rad past",
        ),
        (
            dict(start=dataclasses.replace(UNDERGROUND, pose=(90.0, 3.0, 0.0))),
            {},
            "it reaches from 89",
        ),
    ],
)
def test_a_body_that_cannot_begin_says_why(body, sizes, message):
    with pytest.raises(ValueError, match=message):
        envs.stump_tracks(dataclasses.replace(BIPED, **body), sizes=sizes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("most_offset", "change"),
    [
        (2.0, dict(motor_torques=(2.8e3, 2.8e3), motor_speeds=(15.0, 15.0), link_friction=10.0)),
        (0.5, dict(hull_density=110.0)),
        (
            0.5,
            dict(
                hull=scaled(0.2),
                hips=((0.4, 0.0), (-0.4, 0.0)),
                link_density=8.0,
                joint_lower=(-6.28,) * 2,
                joint_upper=(6.28,) * 2,
            ),
        ),
    ],
    ids=["motors", "hull", "links"],
)
def test_bodies_near_the_bounds_stay_together(most_offset, change):
    """Numbers that hardly fit, for 100 random steps or until they fall: finite, joints that hold,
    the hull below 25 m/s.
    """
    env, num = envs.stump_tracks(dataclasses.replace(BIPED, **change)), 64
    keys = jax.random.split(jax.random.key(0), num)

    @quick_jit
    def play():
        levels = jax.vmap(env.generate)(keys, jax.vmap(env.task_space.sample)(keys))
        states, _ = jax.vmap(env.reset)(keys, levels)

        def step(carry, key):
            states, playing = carry
            actions = jax.random.uniform(key, (num, 4), minval=-1, maxval=1)
            states, now = jax.vmap(env.step, in_axes=(None, 0, 0, 0))(key, levels, states, actions)
            finite = jnp.isfinite(now.obs).all() & jnp.isfinite(now.reward).all()

            def largest(x):
                return jnp.where(playing, jnp.abs(x.reshape(num, -1)).max(1), 0.0).max()

            found = finite, largest(states.offset), largest(states.hull_velocity[:, :2])
            return (states, playing & ~now.terminated), found

        return jax.lax.scan(step, (states, jnp.ones(num, bool)), jax.random.split(keys[0], 100))[1]

    finite, offset, speed = play()
    assert finite.all() and offset.max() < most_offset and speed.max() < 25


def test_points_are_those_that_pictures_show():
    start, walker = BODIES["quadruped"].start, anatomy(BODIES["quadruped"])
    state = WalkerState(*[np.zeros(3)] * 3, *[np.zeros((2, 2, 4))] * 3).replace(
        hull_pose=jnp.array([0.0, 0.0, 0.3]),
        joints=jnp.array(start.joints),
        offset=jnp.zeros((2, 2, 4)),
    )
    hull, *links = outline(jax.tree.map(lambda x: x[..., None], walker), state)
    shown = np.concatenate([hull, *links])
    found = np.concatenate(_points(walker, 0.3, np.array(start.joints)), axis=1).T

    def order(points):
        return points[np.lexsort(np.round(points, 3).T)]

    np.testing.assert_allclose(order(shown), order(found), atol=1e-4)
