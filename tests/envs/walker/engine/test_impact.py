"""Which links reach the track within a step, and when: against a fine walk along each flight."""

import jax
import jax.numpy as jnp
import numpy as np
from walker_scenes import level, numbers, stumps
from walker_scenes import window as look

from jaxcurriculum.envs.walker.engine import impact, time_of_impact
from jaxcurriculum.envs.walker.engine.contact import link_contacts
from jaxcurriculum.envs.walker.engine.kinematics import Posture
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
    ends, sides = LENGTH / 2 * axis, WIDTH / 2 * side
    return np.array([x, y]) + [sides - ends, -sides - ends, ends - sides, ends + sides]


def to_track(pose):
    """The link's separation from the nearest box, m."""
    return min(separation(lower_link(*pose), box) for box in BOXES)


def walked(start, change):
    """Share of a flight after which the link is first as near as an impact, 1 where it never
    is, and the least distance, m.
    """
    shares = np.linspace(0, 1, 101)
    distance = np.array([to_track(start + share * change) for share in shares])
    is_near = distance < time_of_impact.TOUCH_GAP - time_of_impact.TOLERANCE
    return shares[is_near.argmax()] if is_near.any() else 1.0, distance.min()


def test_links_meet_the_track_when_a_walk_along_their_flight_does():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-0.8, 1.2, NUM) + PAD, GROUND + rng.uniform(0.1, 1.6, NUM)
    start = np.stack([x, y, rng.uniform(-1.2, 1.2, NUM)])
    change = np.stack([*rng.uniform(-0.12, 0.12, (2, NUM)), rng.uniform(-0.25, 0.25, NUM)])
    distance = np.array([to_track(pose) for pose in start.T])
    is_near = (distance > 0.021) & (distance < 0.15)
    start, change = start[:, is_near], change[:, is_near]
    truth, least = np.array([walked(*pair) for pair in zip(start.T, change.T)]).T

    def of_all_links(x):
        shape = *x.shape[:-1], 2, 2, x.shape[-1]
        return jnp.asarray(np.broadcast_to(x[..., None, None, :], shape), jnp.float32)

    axis = of_all_links(np.stack([np.sin(start[2]), -np.cos(start[2])]))
    centres, shift, angle = (of_all_links(x) for x in (start[:2], change[:2], change[2]))
    flight = impact.Flight(centre=centres, shift=shift, angle=angle, velocity=jnp.zeros(()))
    track = look(level(stumps([HEIGHT])), PAD - 4, 12.0)
    track = jax.tree.map(lambda x: jnp.repeat(x, start.shape[1], axis=-1), track)

    @quick_jit
    def reach(track, axis, flight):
        tops = flight.centre - WALKER.length[None] / 2 * axis
        shape = Posture(flight.centre[:, 0], axis)
        pairs = link_contacts(WALKER, track, tops, shape)
        return time_of_impact.time_of_impact(pairs, flight.displacement())[0]

    share = np.minimum(reach(track, axis, flight).min(0), 1.0)[1, 0]

    # m: what the rotation of faces during a step may change
    close = np.abs(least - time_of_impact.TOUCH_GAP) < 0.004
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
    impulses = impact._impulse(into, slide, impact.InverseMass(nn, nt, tt), friction)
    normal, along = (np.asarray(x, float) for x in impulses)
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
