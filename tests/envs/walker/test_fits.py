"""Which bodies may begin, and what those at the bounds do."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import envs
from jaxcurriculum.envs.walker.bodies import BODIES, SIZES
from jaxcurriculum.envs.walker.fits import check_fits

BIPED = dataclasses.replace(BODIES["default"], start=None, start_on_pieces=None)
UNDERGROUND = envs.Start(pose=(4.6, -50.0, 0.0), joints=((0.3, 0.2), (-0.8, -0.8)), velocity=((0.0,) * 5,) * 3)


def scaled(factor):
    return tuple((factor * x, factor * y) for x, y in BIPED.hull)


@pytest.mark.parametrize("name", BODIES)
def test_the_published_bodies_fit_half_and_half_as_large_again(name):
    largest = check_fits(BODIES[name], dict.fromkeys(SIZES, (0.5, 1.5)))
    np.testing.assert_allclose(largest.length[:, 0], 1.5 * np.array(BODIES[name].link_lengths), rtol=1e-6)


@pytest.mark.parametrize(
    ("body", "sizes", "message"),
    [
        (dict(hull=((-6, 0), (6, 0), (0, 1))), {}, "must extend at most 4.67 m before and behind its origin .* got 6"),
        ({}, {"hull_length": (1.0, 10.0)}, "must extend at most 4.67 m"),
        (dict(link_lengths=(10.0, 10.0), joint_lower=(-0.1, -0.1), joint_upper=(0.1, 0.1)), {}, "20 m from hull to foot, got .* 20.2"),
        (dict(hull=scaled(1e-3)), {}, "a hull of at least 0.0001 m.2, whatever its sizes, got 1.08e-06"),
        ({}, {"leg_width": (0.01, 1.0)}, "links at least 0.01 m long and wide, whatever its sizes, got 0.00213 m"),
        (dict(hull_density=500.0, link_density=0.05), {}, "a hull at most 500 times as heavy as any link"),
        (dict(hull_density=25.0), {"hull_height": (1.0, 5.0)}, "a hull at most 500 times .* got 560"),
        (dict(hips=((0.0, 3.0),) * 2), {}, "must stand on its feet .* its hull is 1.18 m lower"),
        (dict(start=UNDERGROUND), {}, "start of body 'default' must be above the ground, .* lowest point is at -52"),
        (dict(start=BODIES["default"].start, link_lengths=(2.0, 2.0)), {}, "lowest point is at -1.56 m.* with start=None"),
        (dict(start_on_pieces=BODIES["default"].start, joint_upper=(0.1, -0.1)), {}, "start_on_pieces .* a joint is 0.187 rad past"),
        (dict(start=dataclasses.replace(UNDERGROUND, pose=(90.0, 3.0, 0.0))), {}, "it reaches from 89"),
    ],
)
def test_a_body_that_cannot_begin_says_why(body, sizes, message):
    with pytest.raises(ValueError, match=message):
        envs.stump_tracks(dataclasses.replace(BIPED, **body), sizes=sizes)


def test_bodies_at_the_bounds_stay_finite():
    """Each number at its bound, where the others allow it, in 100 steps of random play."""
    extreme = dict(joint_lower=(-6.28, -6.28), joint_upper=(6.28, 6.28), link_friction=10.0, motor_speeds=(50.0, 50.0))
    body = dataclasses.replace(BIPED, **extreme, motor_torques=(1e4, 1e4), link_density=0.01, hull_density=0.85)
    env, num = envs.stump_tracks(body, sizes={"hull_height": (0.01, 1.0), "lower_length": (0.9, 3.0)}), 64
    keys = jax.random.split(jax.random.key(0), num)

    @jax.jit
    def play():
        levels = jax.vmap(env.generate)(keys, jax.vmap(env.task_space.sample)(keys))
        states, _ = jax.vmap(env.reset)(keys, levels)

        def step(states, key):
            actions = jax.random.uniform(key, (num, 4), minval=-1, maxval=1)
            states, now = jax.vmap(env.step, in_axes=(None, 0, 0, 0))(key, levels, states, actions)
            return states, jnp.isfinite(now.obs).all() & jnp.isfinite(now.reward).all()

        return jax.lax.scan(step, states, jax.random.split(keys[0], 100))[1]

    assert play().all()
