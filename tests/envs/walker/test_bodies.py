import dataclasses

import jax
import numpy as np
import pytest
from walker_scenes import numbers

from jaxcurriculum.envs.walker.bodies import BODIES, SIZES, Body, anatomy, get_body
from jaxcurriculum.envs.walker.engine.kinematics import WalkerState, outline
from jaxcurriculum.envs.walker.hulls import polygon_mass
from jaxcurriculum.envs.walker.starts import Start


def test_masses_are_box2ds():
    # Numbers: b2Body.mass and .inertia of gymnasium's walker, the hull's about its centre of mass.
    walker = anatomy(get_body("default"))
    found = [walker.hull_mass, *walker.centre, walker.hull_inertia]
    np.testing.assert_allclose(found, [5.4222226, -0.0200364, -0.00564664, 1.9994], rtol=5e-5)
    np.testing.assert_allclose(walker.mass[:, 0], [0.3022222, 0.2417778], rtol=1e-6)
    np.testing.assert_allclose(walker.inertia[:, 0], [0.0341399, 0.0267961], rtol=1e-5)
    np.testing.assert_allclose(
        anatomy(get_body("short")).inertia[:, 0], [0.00493909, 0.00369338], rtol=1e-5
    )


def test_polygon_mass_of_a_box():
    box = np.array([(1.0, 2.0), (4.0, 2.0), (4.0, 3.0), (1.0, 3.0)])
    mass, centre, inertia = polygon_mass(box, 2.0)
    np.testing.assert_allclose([mass, *centre, inertia], [6.0, 2.5, 2.5, 6.0 * (9 + 1) / 12])


def test_unknown_body_names_those_that_exist():
    with pytest.raises(ValueError, match="default, short"):
        get_body("spider")


SQUARE = ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(hull=((0, 0), (1, 0))), "three to eight corners"),
        (dict(hull=((0, 0), (2, 0), (1, 0.2), (2, 2))), "convex"),
        (dict(hull=((1, 0), (-0.8, 0.6), (0.3, -1), (0.3, 1), (-0.8, -0.6))), "convex"),  # a star
        (dict(hull=((-1, 0), (0, 0), (1, 0), (0, 1))), "no three of them in line"),
        (dict(hull=((3, -0.2), (4, -0.2), (4, 0.2), (3, 0.2))), "hull must hold its origin"),
        (dict(hips=((0.0, 0.0),) * 9), "hips must be a point .* each of 1 to 8 legs"),
        (
            dict(motor_speeds=(1e-30, 4.0)),
            "motor_speeds must be two numbers, at least 0.01 and at most 15",
        ),
        (
            dict(joint_lower=(0.5, -1.6), joint_upper=(0.5 + 1e-12, -0.1)),
            "joint_lower must lie below joint_upper",
        ),
        (dict(hips=((float("nan"), 0.0),)), "hips must be a point .* got"),
        (dict(rest_angles=(float("nan"),)), "rest_angles must be empty or one angle a leg"),
        (
            dict(link_lengths=1.0),
            "link_lengths must be two numbers, at least 0.01 and at most 10, got 1.0",
        ),
        (dict(link_friction=-1.0), "link_friction"),
        (dict(torque_cost=float("nan")), "torque_cost"),
        (
            dict(hull_density=1e30),
            "hull_density must be a number, at least 0.01 and at most 500, got 1e\\+30",
        ),
        (dict(joint_lower=(-1.0,)), "joint_lower must be two numbers"),
        (dict(start="here"), "start must be None or a Start of 1 legs"),
        (dict(start=BODIES["default"].start), "start must be None or a Start of 1 legs"),
        (dict(hips=((1e9, 0.0),)), "hips .* at most 10"),
        (dict(hull=((0, 0), (1e30, 0), (0, 1))), "hull .* at most 10"),
        (dict(joint_upper=(1e30, 1e30)), "joint_upper .* at most 6.284"),
        (
            dict(hull_density="5"),
            "hull_density must be a number, at least 0.01 and at most 500, got '5'",
        ),
        (dict(link_lengths=("1", "1")), "link_lengths must be two numbers"),
        (dict(link_friction=True), "link_friction"),
        (dict(name=""), "name"),
        (dict(hips=()), "hips"),
        (dict(rest_angles=(0.1, 0.2)), "rest_angles"),
        (dict(link_lengths=(0.0, 1.0)), "link_lengths"),
        (dict(link_widths=(0.2, float("nan"))), "link_widths"),
        (dict(motor_torques=(80.0,)), "motor_torques"),
        (dict(hull_density=-1.0), "hull_density"),
        (dict(joint_lower=(0.0, 0.0), joint_upper=(1.0, -1.0)), "joint_lower"),
    ],
)
def test_a_body_that_cannot_be_says_why(change, message):
    good = dict(
        name="own", hull=SQUARE, hips=((0.0, 0.0),), link_lengths=(1.0, 1.0), link_widths=(0.2, 0.2)
    )
    Body(**good)
    with pytest.raises(ValueError, match=message):
        Body(**(good | change))


def test_arrays_are_kept_as_tuples_of_floats():
    body = Body(
        name="own",
        hull=np.array(SQUARE),
        hips=np.zeros((1, 2)),
        link_lengths=[1, 1],
        link_widths=(0.2, np.float32(0.25)),
    )
    assert (
        body.hull == SQUARE
        and body.hips == ((0.0, 0.0),)
        and body.link_lengths == (1.0, 1.0)
        and body.link_widths == (0.2, 0.25)
    )
    assert hash(body) == hash(dataclasses.replace(body)) and all(
        type(x) is float for x in (*body.hull[0], *body.link_lengths)
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(pose=(0.0, 1.0)), "pose must be three numbers"),
        (dict(pose=(0.0, float("nan"), 0.0)), "pose"),
        (dict(joints=((0.3, 0.2), (-0.8,))), "joints must be hips, then as many knees"),
        (dict(velocity=((0.0,) * 5,) * 3), "velocity must be three rows of 3 numbers"),
        (dict(touched=(True, False)), "touched must be True or False for each of 1 legs"),
        (dict(touched=(1,)), "touched"),
        (dict(touched=np.array([True, False])), "touched"),
        (dict(touched=None), "touched must be True or False .* got None"),
        (dict(velocity=((1e30,) * 3,) * 3), "velocity .* at most 100"),
    ],
)
def test_a_start_that_cannot_be_says_why(change, message):
    with pytest.raises(ValueError, match=message):
        Start(
            **(
                dict(pose=(4.6, 2.4, 0.0), joints=((0.3,), (-0.8,)), velocity=((0.0,) * 3,) * 3)
                | change
            )
        )


def test_feet_touch_by_default_and_may_be_an_array():
    start = dict(
        pose=(4.6, 2.4, 0.0), joints=((0.3, 0.2), (-0.8, -0.8)), velocity=((0.0,) * 5,) * 3
    )
    assert (
        Start(**start).touched == (True, True) == Start(**start, touched=np.array([], bool)).touched
    )
    assert Start(**start, touched=np.array([True, False])).touched == (True, False)


def test_sizes_change_what_they_name():
    body, plain = get_body("default"), anatomy(get_body("default"))
    for i, name in enumerate(SIZES):
        changed = anatomy(body, {name: 1.5})
        traced = jax.jit(
            lambda factor, name=name, span=changed.span: anatomy(body, {name: factor}, span)
        )(1.5)
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), changed, traced
        )
        assert (
            changed.span.link >= plain.span.link and changed.span.reach >= plain.span.reach - 1e-6
        )
        ratios = np.ptp(changed.hull, axis=1) / np.ptp(plain.hull, axis=1)
        found = [
            *ratios,
            *(changed.length / plain.length).ravel(),
            (changed.width / plain.width)[0, 0],
            (changed.torque / plain.torque)[0, 0],
        ]
        np.testing.assert_allclose(found, [1.5 if j == i else 1.0 for j in range(6)], rtol=1e-5)


def test_a_hull_may_be_given_either_way_round():
    links = dict(hips=((0, 0),), link_lengths=(1, 1), link_widths=(0.2, 0.2))
    one = Body(name="own", hull=SQUARE, **links)
    other = Body(name="own", hull=SQUARE[::-1], **links)
    assert anatomy(one).hull_mass == anatomy(other).hull_mass == 5.0


@pytest.mark.parametrize("name", sorted(BODIES))
def test_outline_joins_and_has_the_bodys_sizes(name):
    walker, rng, legs = numbers(name), np.random.default_rng(0), get_body(name).num_legs
    state = WalkerState(
        hull_pose=rng.normal(size=3).astype(np.float32),
        joints=rng.normal(size=(2, legs)).astype(np.float32),
        hull_velocity=np.zeros(3, np.float32),
        link_velocity=np.zeros((3, 2, legs), np.float32),
        offset=np.zeros((2, 2, legs), np.float32),
        impulses=np.zeros((10, legs), np.float32),
    )
    hull, *links = jax.tree.map(np.asarray, outline(walker, jax.tree.map(jax.numpy.asarray, state)))
    mass, centre, _ = polygon_mass(hull.astype(float), walker.body.hull_density)
    np.testing.assert_allclose(mass, walker.hull_mass[0], rtol=1e-5)
    np.testing.assert_allclose(centre, state.hull_pose[:2], atol=1e-5)
    for i, link in enumerate(links):
        mass, _, _ = polygon_mass(link.astype(float), walker.body.link_density)
        np.testing.assert_allclose(mass, walker.mass[i % 2, 0, 0], rtol=1e-5)
    for upper, lower in zip(links[::2], links[1::2]):
        # Corners run counter-clockwise from the top right.
        knee, top = upper[2:].mean(0), lower[:2].mean(0)
        np.testing.assert_allclose(knee, top, atol=1e-5)
