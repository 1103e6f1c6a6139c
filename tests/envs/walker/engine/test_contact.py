"""Contacts in poses whose answer is known: one upright walker, its left foot moved about."""

import jax
import jax.numpy as jnp
import numpy as np
from walker_scenes import level, numbers, stumps
from walker_scenes import window as look

from jaxcurriculum.envs.walker.engine import contact
from jaxcurriculum.envs.walker.engine.kinematics import (
    Posture,
    link_angles,
    link_tops,
    posture,
)
from jaxcurriculum.envs.walker.engine.plane import Displacement, Rotation
from jaxcurriculum.envs.walker.engine.surfaces import GROUND
from jaxcurriculum.envs.walker.engine.terrain import PAD
from jaxcurriculum.testing.compiling import quick_jit
from references.convex import separation

WALKER = numbers("default")
HALF_FOOT = 0.8 * 8 / 30 / 2


def window(heights, pitch=1.0):
    """A track with stumps of these heights [m], the first at PAD."""
    return look(level(stumps(heights, pitch)), PAD - 4, 12.0)


def contacts(heights, foot_x, foot_y, lean=0.0, pitch=1.0, track=None):
    """The two deepest contacts of the left lower link at rest, both legs leaning, the middle of the
    sole at (foot_x, foot_y).

    On stumps of these heights, or on another track.
    """
    hip = WALKER.hips[:, 0, 0]
    cos, sin = np.cos(lean), np.sin(lean)
    leg = np.array(
        [cos * hip[0] - sin * hip[1], sin * hip[0] + cos * hip[1]]
    ) + WALKER.length.sum() * np.array([sin, -cos])
    pose = jnp.array([PAD + foot_x - leg[0], GROUND + foot_y - leg[1], lean], jnp.float32)[:, None]
    lower = jax.tree.map(np.asarray, deepest_of_lower_link(track or window(heights, pitch), pose))
    return jax.tree.map(lambda x: x[..., np.argsort(lower.gap)], lower)


@quick_jit
def deepest_of_lower_link(track, pose):
    """Of the first leg, [..., 2 points]."""
    joints = jnp.array([[0.05, -0.05], [0.0, 0.0]])[..., None]
    shape = posture(WALKER, pose[2], link_angles(WALKER, pose[2], joints))
    tops = link_tops(WALKER, pose, shape)
    pairs = contact.link_contacts(WALKER, track, tops, shape)
    found = contact.deepest(pairs, tops + WALKER.length[None] / 2 * shape.axis)
    return jax.tree.map(lambda x: x[..., 1, 0, 0], found)


def test_foot_flat_on_the_ground_touches_with_both_corners():
    found = contacts([], -3.0, 0.01)
    np.testing.assert_allclose(found.gap, 0.01, atol=1e-5)
    np.testing.assert_allclose(found.normal, [[0, 0], [1, 1]], atol=1e-6)
    np.testing.assert_allclose(
        np.sort(found.point[0]), PAD - 3 + HALF_FOOT * np.array([-1, 1]), atol=1e-4
    )


def test_foot_across_a_stumps_edge_touches_with_its_corner_and_on_the_stumps():
    found = contacts([0.5], 0.05, 0.5 + 0.01)  # a quarter of the sole hangs over the left edge
    np.testing.assert_allclose(found.gap, 0.01, atol=1e-4)
    np.testing.assert_allclose(found.normal, [[0, 0], [1, 1]], atol=1e-5)
    np.testing.assert_allclose(
        np.sort(found.point[0]), PAD + np.array([0.0, HALF_FOOT + 0.05]), atol=1e-4
    )


def test_leg_beside_a_tall_stump_is_pushed_sideways():
    for side, x in ((-1, -HALF_FOOT - 0.01), (1, 14 / 30 + HALF_FOOT + 0.01)):
        found = contacts([1.0], x, 0.5)
        np.testing.assert_allclose(found.gap[0], 0.01, atol=1e-4)
        np.testing.assert_allclose(found.normal[:, 0], [side, 0], atol=1e-5)


def test_toe_that_hangs_just_over_a_stumps_edge_is_held_from_below():
    # As a point alone the toe is farther beside than above.
    found = contacts([0.5], 14 / 30 + 0.0135 - HALF_FOOT, 0.5 + 0.013)
    np.testing.assert_allclose(found.normal, [[0, 0], [1, 1]], atol=1e-5)
    np.testing.assert_allclose(found.gap, 0.013, atol=1e-4)


def test_shin_on_a_corner_keeps_the_toe_off_the_top():
    lean, top = 0.3, 1.0
    up, right = np.array([-np.sin(lean), np.cos(lean)]), np.array([np.cos(lean), np.sin(lean)])
    corner = np.array([14 / 30, top])
    # the left side of the leg is 0.014 m before the stump's right corner
    foot = corner + (HALF_FOOT + 0.014) * right - 0.01 * up
    found = contacts([top], *foot, lean=lean)
    toe = foot - HALF_FOOT * right
    assert 0 < toe[0] - corner[0] < contact.SKIN and toe[1] < top + contact.SKIN
    touching = found.gap < contact.SKIN
    np.testing.assert_allclose(found.normal[:, touching].T, [right] * touching.sum(), atol=1e-4)
    assert touching.any()


def test_corners_seen_from_a_link_that_moves_and_turns():
    angle, rotation, shift = np.array([0.1, 0.2]), 0.15, np.array([0.08, -0.05])
    track = window([1.0], 1.0)

    @quick_jit
    def pairs_at(angle, centre):
        axis = jnp.array([jnp.sin(angle), -jnp.cos(angle)], jnp.float32)
        axis = axis[:, :, None, None] * jnp.ones((1, 1, 2, 1))
        centres = jnp.asarray(centre, jnp.float32)[:, None, None, None]
        tops = centres - WALKER.length[None] / 2 * axis
        return contact.link_contacts(WALKER, track, tops, Posture(hip=tops[:, 0], axis=axis))

    centre = np.array([PAD - 0.3, GROUND + 1.3])
    before, after = pairs_at(angle, centre), pairs_at(angle + rotation, centre + shift)

    def batch(x):
        x = jnp.asarray(x, jnp.float32).reshape(-1, 1, 1, 1)
        return jnp.broadcast_to(x, (len(x), 2, 2, 1))

    turned = Rotation.by(batch(rotation)[0])
    moved = before.after(Displacement(batch(centre), batch(shift), turned))
    near = (before.on_link > 0) & (before.gap < 1) & (after.gap < 1)
    same = near & (jnp.abs(moved.normal - after.normal).max(0) < 1e-4)
    assert same.sum() >= 4
    np.testing.assert_allclose(moved.gap[same], after.gap[same], atol=1e-5)
    np.testing.assert_allclose(
        (moved.arm - (before.point - batch(centre + shift)[:, None]))[:, same], 0, atol=1e-5
    )


def test_leaning_leg_rests_on_a_stumps_corner():
    # The foot points back, the leg leans forward over the stump's left corner.
    lean, height = -0.6, 0.7
    along = 0.5  # m from the sole to the corner, up the leg
    up, right = np.array([-np.sin(lean), np.cos(lean)]), np.array([np.cos(lean), np.sin(lean)])
    foot = np.array([0.0, height]) - along * up - (HALF_FOOT + 0.01) * right
    found = contacts([height], *foot, lean=lean)
    np.testing.assert_allclose(found.gap[0], 0.01, atol=1e-3)
    np.testing.assert_allclose(found.normal[:, 0], -right, atol=1e-3)
    np.testing.assert_allclose(found.point[:, 0], [PAD, GROUND + height], atol=1e-3)


def test_foot_in_a_narrow_gap_touches_both_stumps():
    gap = 2 * HALF_FOOT + 0.02
    found = contacts([1.0, 1.0], 14 / 30 + gap / 2, 0.5, pitch=14 / 30 + gap)
    np.testing.assert_allclose(found.gap, 0.01, atol=1e-4)
    np.testing.assert_allclose(np.sort(found.normal[0]), [-1, 1], atol=1e-5)


def test_foot_in_a_corner_touches_wall_and_ground():
    found = contacts([1.0], -HALF_FOOT - 0.005, 0.01, lean=0.02)
    assert {tuple(np.round(n).astype(int)) for n in found.normal.T} == {(-1, 0), (0, 1)}


def test_hull_touches_as_the_separating_axis_theorem_says():
    rng, agree, touched = np.random.default_rng(0), [], 0
    hull_touches = quick_jit(lambda track, pose: contact.hull_touches(WALKER, track, pose))
    for _ in range(300):
        heights, pitch = rng.uniform(0.05, 1.4, 8), rng.choice([0.4767, 0.9, 2.0])
        pose = np.array(
            [PAD + rng.uniform(-1, 5), GROUND + rng.uniform(0.2, 2.2), rng.uniform(-1.2, 1.2)]
        )
        cos, sin = np.cos(pose[2]), np.sin(pose[2])
        hull = WALKER.hull[..., 0].T @ np.array([[cos, sin], [-sin, cos]]) + pose[:2]
        gaps = [hull[:, 1].min() - GROUND]
        for i, height in enumerate(heights):
            left, right, top = PAD + i * pitch, PAD + i * pitch + 14 / 30, GROUND + height
            gaps.append(
                separation(
                    hull, np.array([(left, top - 20), (right, top - 20), (right, top), (left, top)])
                )
            )
        if abs(min(gaps) - contact.SKIN) < 1e-3:
            continue
        found = hull_touches(window(heights, pitch), jnp.asarray(pose, jnp.float32)[:, None])
        agree.append(bool(found[0]) == (min(gaps) < contact.SKIN))
        touched += min(gaps) < contact.SKIN
    assert all(agree) and 50 < touched < 250


def test_a_leg_wedged_between_the_ground_and_a_corner_has_both_contacts():
    """Its toe stands on the ground and its front side leans on a stump's corner below its
    centre: both rotate it clockwise.
    """
    lean = -0.6
    up, right = np.array([-np.sin(lean), np.cos(lean)]), np.array([np.cos(lean), np.sin(lean)])
    foot_y = 0.01 - HALF_FOOT * right[1]  # the toe is 0.01 m above the ground
    corner = 0.4 * up + (HALF_FOOT + 0.01) * right  # from the middle of the sole
    found = contacts([foot_y + corner[1]], -corner[0], foot_y, lean)
    np.testing.assert_allclose(found.gap, 0.01, atol=1e-3)
    order = np.argsort(found.normal[1])
    np.testing.assert_allclose(found.normal[:, order].T, [-right, [0, 1]], atol=1e-3)


def test_foot_that_points_up_is_kept_out_of_a_wall():
    lean = 1.9
    # the lower corner of the sole is 0.03 m behind the wall
    foot_x = -HALF_FOOT * -np.cos(lean) + 0.03
    found = contacts([2.0], foot_x, 1.0, lean=lean)
    np.testing.assert_allclose(found.gap[0], -0.03, atol=1e-4)
    np.testing.assert_allclose(found.normal[:, 0], [-1, 0], atol=1e-5)


def test_leg_along_a_wall_touches_at_its_foot_and_at_the_walls_corner():
    lean, top, foot_y = -0.01, 1.0, 0.1  # its knee, above the wall, is the nearest to it
    foot = np.array([-HALF_FOOT * np.cos(lean) - 0.018, foot_y - HALF_FOOT * np.sin(lean)])
    found = contacts([top], *foot, lean=lean)
    np.testing.assert_allclose(found.gap, [0.018 + lean * (top - foot_y), 0.018], atol=2e-4)
    np.testing.assert_allclose(found.normal[0], [-1, -1], atol=1e-3)
    np.testing.assert_allclose(found.point[1], GROUND + np.array([top, foot_y]), atol=5e-3)


def test_foot_on_a_hexagons_face_touches_with_its_corner():
    hexagon = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 0.6], [1.5, 1.0], [0.5, 0.8], [0.0, 0.3]])
    # of the face from (0.5, 0.8) to (1.5, 1.0)
    outwards = np.array([-0.2, 1.0]) / np.hypot(0.2, 1.0)
    corner = np.array([1.0, 0.9]) + 0.012 * outwards
    track = look(level(polygons=[hexagon + [PAD, GROUND]]), PAD - 4, 12.0)
    found = contacts([], corner[0] - HALF_FOOT, corner[1], track=track)
    np.testing.assert_allclose(found.gap[0], 0.012, atol=1e-4)
    np.testing.assert_allclose(found.normal[:, 0], outwards, atol=1e-4)
    np.testing.assert_allclose(found.point[:, 0], corner + [PAD, GROUND], atol=1e-4)
