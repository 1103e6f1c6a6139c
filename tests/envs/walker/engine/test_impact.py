"""Which links reach the track within a step, and when: against a fine walk along each flight."""

import jax
import jax.numpy as jnp
import numpy as np
from walker_scenes import level, numbers, stumps
from walker_scenes import window as look

from jaxcurriculum.envs.walker.engine import impact
from jaxcurriculum.envs.walker.engine.contact import link_contacts
from jaxcurriculum.envs.walker.engine.kinematics import Posture, sin_cos
from jaxcurriculum.envs.walker.engine.surfaces import GROUND, STEP
from jaxcurriculum.envs.walker.engine.terrain import PAD
from jaxcurriculum.testing.compiling import quick_jit
from references.convex import separation

WALKER, HEIGHT, NUM = numbers("default"), 0.7, 2000
WIDTH, LENGTH = (float(x[1, 0, 0]) for x in (WALKER.width, WALKER.length))
BOXES = [
    np.array([(a, -20), (b, -20), (b, top), (a, top)])
    for a, b, top in ((-99, 999, GROUND), (PAD, PAD + STEP, GROUND + HEIGHT))
]


def lower_link(x, y, angle):
    """Corners [4, 2] of a lower link whose centre is at (x, y), counter-clockwise."""
    axis = np.array([np.sin(angle), -np.cos(angle)])
    side = np.array([-axis[1], axis[0]])
    return np.array([x, y]) + [
        LENGTH / 2 * u * axis + WIDTH / 2 * v * side
        for u, v in ((-1, 1), (-1, -1), (1, -1), (1, 1))
    ]


def walked(start, change):
    """Share of a flight after which the link is first as near as an impact, 1 where it never
    is, and the least distance, m.
    """
    shares = np.linspace(0, 1, 101)
    apart = np.array(
        [
            min(separation(lower_link(*(start + share * change)), box) for box in BOXES)
            for share in shares
        ]
    )
    near = apart < impact.TOUCH_GAP - impact.TOLERANCE
    return shares[near.argmax()] if near.any() else 1.0, apart.min()


def test_links_meet_the_track_when_a_walk_along_their_flight_does():
    rng = np.random.default_rng(0)
    start = np.stack(
        [
            rng.uniform(-0.8, 1.2, NUM) + PAD,
            GROUND + rng.uniform(0.1, 1.6, NUM),
            rng.uniform(-1.2, 1.2, NUM),
        ]
    )
    change = np.stack([*rng.uniform(-0.12, 0.12, (2, NUM)), rng.uniform(-0.25, 0.25, NUM)])
    apart = np.array([min(separation(lower_link(*pose), box) for box in BOXES) for pose in start.T])
    start, change = (x[:, (apart > 0.021) & (apart < 0.15)] for x in (start, change))
    truth, least = np.array([walked(*pair) for pair in zip(start.T, change.T)]).T

    both = lambda x: jnp.asarray(
        np.broadcast_to(x[..., None, None, :], (*x.shape[:-1], 2, 2, x.shape[-1])), jnp.float32
    )
    axis = both(np.stack([np.sin(start[2]), -np.cos(start[2])]))
    centres, flight = (
        both(start[:2]),
        impact.Flight(shift=both(change[:2]), turn=both(change[2]), velocity=jnp.zeros(())),
    )
    track = jax.tree.map(
        lambda x: jnp.repeat(x, start.shape[1], axis=-1),
        look(level(stumps([HEIGHT])), PAD - 4, 12.0),
    )

    @quick_jit
    def reach(track, centres, axis, flight):
        pairs = link_contacts(
            WALKER,
            track,
            centres - WALKER.length[None] / 2 * axis,
            Posture(hip=centres[:, 0], axis=axis),
        )
        return impact._reach(pairs, centres, flight, sin_cos(flight.turn))[0]

    share = np.minimum(reach(track, centres, axis, flight).min(0), 1.0)[1, 0]

    # m: what the turning of faces during a step may change
    close = np.abs(least - impact.TOUCH_GAP) < 0.004
    wrong = ((share < 1) != (truth < 1)) & ~close
    both_meet = (share < 1) & (truth < 1)
    assert 0.05 < (truth < 1).mean() < 0.5 and close.mean() < 0.1
    assert wrong.mean() < 0.01
    assert np.quantile(np.abs(share - truth)[both_meet], 0.95) < 0.06


def test_the_impulse_of_a_point_obeys_coulombs_law():
    rng, friction = np.random.default_rng(1), 0.7
    factor = rng.normal(size=(2, 2, 2000))
    (nn, nt), (_, tt) = np.einsum("ikn,jkn->ijn", factor, factor) + 0.3 * np.eye(2)[:, :, None]
    into, slide = rng.normal(size=(2, 2000))
    normal, along = (
        np.asarray(x, float) for x in impact._impulse((into, slide), [nn, nt, tt], friction)
    )
    after, sliding = into + nn * normal + nt * along, slide + nt * normal + tt * along

    away, jammed = into >= 0, nn - friction * np.abs(nt) < 0.1 * nn
    assert (normal[away] == 0).all() and (along[away] == 0).all()
    assert (normal >= 0).all() and (np.abs(along) <= friction * normal + 1e-4).all()
    met = ~away & ~jammed
    np.testing.assert_allclose(after[met], 0, atol=1e-4)
    slips = met & (np.abs(sliding) > 1e-3)
    np.testing.assert_allclose(
        along[slips], -friction * np.sign(sliding[slips]) * normal[slips], rtol=1e-4
    )
    assert slips.mean() > 0.05 and (met & ~slips).mean() > 0.05
