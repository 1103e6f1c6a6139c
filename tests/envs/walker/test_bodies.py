import jax
import numpy as np
import pytest

from jaxcurriculum.envs.walker.bodies import BODIES, get_body, polygon_mass
from jaxcurriculum.envs.walker.kinematics import WalkerState, outline


def test_masses_are_box2ds():
    body = get_body("default")  # numbers: b2Body.mass and .inertia of gymnasium's walker, the hull's taken to its centre of mass
    mass, centre, inertia = body.hull_mass
    np.testing.assert_allclose([mass, *centre, inertia], [5.4222226, -0.0200364, -0.00564664, 1.9994], rtol=5e-5)
    np.testing.assert_allclose(body.link_mass, [0.3022222, 0.2417778], rtol=1e-6)
    np.testing.assert_allclose(body.link_inertia, [0.0341399, 0.0267961], rtol=1e-5)
    np.testing.assert_allclose(get_body("short").link_inertia, [0.00493909, 0.00369338], rtol=1e-5)


def test_polygon_mass_of_a_box():
    box = np.array([(1.0, 2.0), (4.0, 2.0), (4.0, 3.0), (1.0, 3.0)])
    mass, centre, inertia = polygon_mass(box, 2.0)
    np.testing.assert_allclose([mass, *centre, inertia], [6.0, 2.5, 2.5, 6.0 * (9 + 1) / 12])


def test_unknown_body_names_those_that_exist():
    with pytest.raises(ValueError, match="default, short"):
        get_body("spider")


@pytest.mark.parametrize("name", sorted(BODIES))
def test_outline_joins_and_has_the_bodys_sizes(name):
    body, rng = get_body(name), np.random.default_rng(0)
    state = WalkerState(
        hull_pose=rng.normal(size=3).astype(np.float32),
        joints=rng.normal(size=(2, 2)).astype(np.float32),
        hull_velocity=np.zeros(3, np.float32),
        link_velocity=np.zeros((3, 2, 2), np.float32),
        impulses=np.zeros((10, 2), np.float32),
    )
    hull, *links = jax.tree.map(np.asarray, outline(body, jax.tree.map(jax.numpy.asarray, state)))
    mass, centre, _ = polygon_mass(hull.astype(float), body.hull_density)
    np.testing.assert_allclose(mass, body.hull_mass[0], rtol=1e-5)
    np.testing.assert_allclose(centre, state.hull_pose[:2], atol=1e-5)
    for i, link in enumerate(links):
        mass, _, _ = polygon_mass(link.astype(float), body.link_density)
        np.testing.assert_allclose(mass, body.link_mass[i % 2], rtol=1e-5)
    for upper, lower in (links[:2], links[2:]):
        knee, top = upper[2:].mean(0), lower[:2].mean(0)  # corners run counter-clockwise from the top right
        np.testing.assert_allclose(knee, top, atol=1e-5)
