"""Laws of mechanics, on batches of walkers on the last axis."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from walker_scenes import batched, numbers, stumps
from walker_scenes import level as track_with

from jaxcurriculum import tree
from jaxcurriculum.envs.walker.bodies import BODIES
from jaxcurriculum.envs.walker.engine.contact import link_contacts
from jaxcurriculum.envs.walker.engine.dynamics import TIME_STEP, advance
from jaxcurriculum.envs.walker.engine.kinematics import (
    WalkerState,
    link_angles,
    link_corners,
    link_tops,
    posture,
    posture_of,
)
from jaxcurriculum.envs.walker.engine.mass import body_velocities, mass_matrix, project
from jaxcurriculum.envs.walker.engine.surfaces import GROUND, STEP
from jaxcurriculum.envs.walker.engine.terrain import window_at
from jaxcurriculum.testing.compiling import brisk_jit, quick_jit
from references.box2d_walker import Box2DWalker

NUM = 32
# Bodies that differ in their sizes alone are one program, the walkers of each in a row.
TWO_LEGS, FOUR_LEGS = ("default", "long", "short"), ("quadruped",)
BY_LEGS = pytest.mark.parametrize("names", [TWO_LEGS, FOUR_LEGS], ids="-".join)


def in_a_row(names, num):
    """The numbers of `num` walkers of each of these bodies; of one alone, what they share."""
    each, repeats = [numbers(name) for name in names], num if len(names) > 1 else 1
    longest = max(each, key=lambda walker: walker.span.reach)
    alike = [walker.replace(body=longest.body, span=longest.span) for walker in each]
    return jax.tree.map(
        lambda *leaves: np.concatenate([np.repeat(leaf, repeats, -1) for leaf in leaves], axis=-1),
        *alike,
    )


def level(num, boxes=()):
    return batched(track_with(boxes), num)


def start(walker, height, rng, speed=0.0, num=NUM):
    """Walkers at rest or with random joined velocities, their joints anywhere inside the limits."""
    legs = walker.body.num_legs
    lower = np.array(walker.body.joint_lower)[:, None, None]
    upper = np.array(walker.body.joint_upper)[:, None, None]
    joints = lower + (upper - lower) * rng.uniform(0.1, 0.9, (2, legs, num))
    joints = jnp.asarray(joints, jnp.float32)
    x, y, angle = np.full(num, 6.0), GROUND + np.full(num, height), rng.uniform(-0.3, 0.3, num)
    pose = jnp.asarray(np.array([x, y, angle]), jnp.float32)
    mass = mass_matrix(walker, posture(walker, pose[2], link_angles(walker, pose[2], joints)))
    hull = jnp.asarray(speed * rng.normal(size=(3, num)), jnp.float32)
    links = jnp.asarray(speed * rng.normal(size=(3, 2, legs, num)), jnp.float32)
    motion = project(walker, mass, hull, links)
    return WalkerState(
        hull_pose=pose,
        joints=joints,
        hull_velocity=motion.hull,
        link_velocity=body_velocities(mass, motion),
        offset=jnp.zeros((2, 2, legs, num)),
        impulses=jnp.zeros((10, legs, num)),
    )


def centres_and_masses(body, state):
    """Centres [2, parts, N] and velocities [3, parts, N] of all parts, and their masses and
    inertias [parts, N] (or one for all N).
    """
    shape = posture_of(body, state)
    links = link_tops(body, state.hull_pose, shape) + body.length[None] / 2 * shape.axis
    num, legs = state.hull_pose.shape[1], body.body.num_legs

    def all_parts(hull, links):
        links = links.reshape(len(hull), -1, num)
        return np.concatenate([hull[:, None], links], axis=1).astype(float)

    centres = all_parts(state.hull_pose[:2], links)
    velocity = all_parts(state.hull_velocity, state.link_velocity)
    mass, inertia = (
        np.concatenate([of_hull[None], *np.repeat(of_links, legs, axis=1)])
        for of_hull, of_links in ((body.hull_mass, body.mass), (body.hull_inertia, body.inertia))
    )
    return centres, velocity, mass, inertia


def energy(body, state):
    centres, velocity, mass, inertia = centres_and_masses(body, state)
    kinetic = (mass * (velocity[:2] ** 2).sum(0) + inertia * velocity[2] ** 2).sum(0) / 2
    return kinetic + 10 * (mass * centres[1]).sum(0)


def stepper(body, track):
    def step(state, action):
        window = window_at(track, state.hull_pose[0] - 3, 9.0)
        return advance(body, window, state, action)

    return compiler(track)(step)


def compiler(track):
    """Among many stumps running takes longer than compiling."""
    return quick_jit if track.obstacles is None else brisk_jit


@pytest.mark.parametrize(
    "names", [TWO_LEGS, pytest.param(FOUR_LEGS, marks=pytest.mark.slow)], ids="-".join
)
def test_free_fall_is_the_closed_form(names):
    body, rng, steps, num = in_a_row(names, NUM), np.random.default_rng(0), 25, NUM * len(names)
    state = start(body, 20.0, rng, speed=1.0, num=num)
    centres, velocity, mass, _ = centres_and_masses(body, state)
    weight = mass / mass.sum(0)
    before, speed = (weight * centres).sum(1), (weight * velocity[:2]).sum(1)
    step = stepper(body, level(num))
    for _ in range(steps):
        # Motors are inside forces.
        action = jnp.asarray(rng.uniform(-1, 1, (body.body.num_joints, num)), jnp.float32)
        state, touched = step(state, action)
        assert not touched.any()
    time = steps * TIME_STEP
    # the sum of semi-implicit Euler steps
    fallen = np.array([[0.0], [-10 * TIME_STEP**2 * steps * (steps + 1) / 2]])
    centres, velocity, _, _ = centres_and_masses(body, state)
    np.testing.assert_allclose((weight * centres).sum(1), before + time * speed + fallen, atol=0.02)
    np.testing.assert_allclose(
        (weight * velocity[:2]).sum(1), speed + np.array([[0.0], [-10 * time]]), atol=1e-3
    )


def test_momentum_is_kept_in_flight():
    body, rng = numbers("default"), np.random.default_rng(1)
    state = start(body, 20.0, rng, speed=1.0)

    def angular_momentum(state):
        centres, velocity, mass, inertia = centres_and_masses(body, state)
        arm = centres - (mass * centres).sum(1, keepdims=True) / mass.sum()
        drift = velocity[:2] - (mass * velocity[:2]).sum(1, keepdims=True) / mass.sum()
        orbital = mass * (arm[0] * drift[1] - arm[1] * drift[0])
        return (orbital + inertia * velocity[2]).sum(0)

    step, before = stepper(body, level(NUM)), angular_momentum(state)
    for _ in range(10):
        state, _ = step(state, jnp.asarray(rng.uniform(-1, 1, (4, NUM)), jnp.float32))
    # motors of 80 N m could change it by 16 N m s in this time; what is left is the joints'
    # projection at the old pose
    change = np.abs(angular_momentum(state) - before)
    assert np.median(change) < 0.05 and change.max() < 0.5


def test_energy_does_not_grow_without_motors():
    """Walkers fall and collapse. What pushes them out of the ground and off their joint limits
    lifts them a little, in Box2D too.
    """
    body, rng, num = numbers("default"), np.random.default_rng(2), 512
    state = start(body, 2.6, rng, speed=0.5, num=num)
    step, energies = stepper(body, level(num)), [energy(body, state)]
    for _ in range(40):
        state, _ = step(state, jnp.zeros((4, num)))
        energies.append(energy(body, state))
    energies = np.array(energies)
    growth = (energies - np.minimum.accumulate(energies, axis=0)).max(0)
    scale = 10 * 6.5 * 0.1  # J: lifting the walker by 0.1 m
    assert growth.max() < scale and growth.mean() < 0.05 * scale
    assert (energies[-1] < energies[0] - scale).all()


def test_a_collapse_ends_as_in_box2d():
    """Without motors both engines lose the same energy in a fall, whatever way the legs fold."""
    body, rng = numbers("default"), np.random.default_rng(2)
    state, walker = start(body, 2.6, rng, speed=0.5), Box2DWalker()

    def energy_in_box2d():
        return energy(body, jax.tree.map(lambda x: jnp.asarray(x)[..., None], walker.read()))[0]

    lost = []
    for i in range(NUM):
        walker.reset()
        walker.place(state, i)
        before = energy_in_box2d()
        for _ in range(40):
            walker.step(np.zeros(4))
        lost.append(before - energy_in_box2d())
    before, step = energy(body, state), stepper(body, level(NUM))
    for _ in range(40):
        state, _ = step(state, jnp.zeros((4, NUM)))
    ours = before - energy(body, state)
    difference = np.abs(ours - lost)
    assert np.median(difference) < 1.0 and np.quantile(difference, 0.9) < 6.0  # J, of some 50


def test_what_rests_stays_at_rest():
    """Dropped with the legs apart, both feet stand on the ground and the motors hold the joints
    at their limits.
    """
    body, rng = numbers("default"), np.random.default_rng(3)
    state = start(body, 1.9, rng)
    ends = np.array(
        [
            [body.body.joint_upper[0], body.body.joint_lower[0]],
            [body.body.joint_upper[1], body.body.joint_upper[1]],
        ]
    )[:, :, None]
    inwards = np.array([[-1.0, 1.0], [-1.0, -1.0]])[:, :, None] * rng.uniform(0, 0.1, (2, 2, NUM))
    state = state.replace(
        joints=jnp.asarray(ends + inwards, jnp.float32),
        hull_pose=state.hull_pose.at[2].set(rng.uniform(-0.1, 0.1, NUM)),
    )
    action = jnp.broadcast_to(jnp.array([1.0, 1.0, -1.0, 1.0])[:, None], (4, NUM))
    step = stepper(body, level(NUM))
    for _ in range(200):
        state, _ = step(state, action)
    before = state
    for _ in range(1000):
        state, touched = step(state, action)
    assert touched.all() and (state.hull_pose[1] > GROUND + 1.5).all()
    np.testing.assert_allclose(state.joints, before.joints, atol=0.02)
    np.testing.assert_allclose(state.hull_pose, before.hull_pose, atol=0.02)


def random_walks(names, height=0.0, boxes=(), polygons=None, steps=300, num_each=96):
    """Full-torque random actions on a track so high, restarted above it where the hull comes
    too low: of each body the gaps and joints of every step.
    """
    body, rng, num = in_a_row(names, num_each), np.random.default_rng(4), num_each * len(names)
    track = batched(track_with(boxes, polygons), num)
    first = start(body, body.length.sum((0, 1)) + 0.3 + height, rng, num=num)
    first = first.replace(
        hull_pose=first.hull_pose.at[0].set(jnp.asarray(rng.uniform(12, 30, num), jnp.float32))
    )
    step = stepper(body, track)
    state, gaps, joints = first, [], []

    @compiler(track)
    def deepest(state):
        shape = posture_of(body, state)
        window = window_at(track, state.hull_pose[0] - 3, 9.0)
        tops = link_tops(body, state.hull_pose, shape) + state.offset
        pairs = link_contacts(body, window, tops, shape)
        corners = link_corners(body, tops, shape.axis)
        surfaces = window.near(corners[0].min(0) - 0.3, body.span.link + 0.6)
        of_corners = jnp.concatenate([surface.outside(corners).gap for surface in surfaces])
        of_track = jnp.where(pairs.on_link > 0, pairs.gap, 1.0)
        return jnp.minimum(of_corners.min((0, 1, 2)), of_track.min((0, 1, 2)))

    for t in range(steps):
        if t % 7 == 0:
            drawn = rng.uniform(-1, 1, (body.body.num_joints, num))
            action = jnp.asarray(np.sign(drawn), jnp.float32)
        state, _ = step(state, action)
        assert all(np.isfinite(x).all() for x in jax.tree.leaves(state))
        low = (state.hull_pose[1] < GROUND + height + 0.7) | (jnp.abs(state.hull_pose[2]) > 0.8)
        gaps.append(np.where(low, 1.0, deepest(state)))
        joints.append(np.where(low, -0.5, state.joints))
        state = tree.where(low, first, state, axis=-1)
    of_each = (np.split(np.array(all), len(names), axis=-1) for all in (gaps, joints))
    return zip(names, *of_each, strict=True)


@pytest.mark.slow
@BY_LEGS
def test_links_stay_above_flat_ground_and_joints_near_their_limits(names):
    for name, gaps, joints in random_walks(names):
        assert (gaps < 0.02).mean() > 0.1 and np.quantile(gaps, 1e-3) > -0.005 and gaps.min() > -0.1
        limits = zip(BODIES[name].joint_lower, BODIES[name].joint_upper)
        for joint, (lower, upper) in enumerate(limits):
            inside = (joints[:, joint] > lower - 0.12) & (joints[:, joint] < upper + 0.12)
            # a motor overshoots a limit by 6 rad/s for a step at most, as in Box2D; impacts beat a
            # few joints further
            assert inside.mean() > (0.99 if name == "default" else 0.97)


@pytest.mark.slow
@BY_LEGS
def test_links_do_not_pass_through_dense_stumps(names):
    for _, gaps, _ in random_walks(names, 0.9, boxes=stumps([0.9] * 80, STEP + 0.26)):
        assert (gaps < 0.02).mean() > 0.1
        assert np.quantile(gaps, 0.02) > -0.08 and gaps.min() > -0.4


@pytest.mark.slow
@pytest.mark.parametrize("obstacles", ["stumps", "hexagons"])
def test_links_stay_out_of_obstacles_that_stand_apart(obstacles):
    middles = np.arange(9.5, 40, 2.0)
    places = np.stack([middles, np.full_like(middles, GROUND)], axis=1)
    hexagon = [[-0.7, 0.0], [0.4, 0.0], [0.7, 0.4], [0.2, 0.9], [-0.3, 0.8], [-0.6, 0.3]]
    of_kind = {
        "stumps": {"boxes": stumps([0.9] * len(middles), 2.0, middles[0])},
        "hexagons": {"polygons": np.array(hexagon) + places[:, None]},
    }
    ((_, gaps, _),) = random_walks(["default"], 0.9, **of_kind[obstacles], steps=500, num_each=128)
    assert (gaps < 0.02).mean() > 0.1
    assert (gaps < -0.1).mean() < 3e-4
