"""Sines without the C library."""

import jax
import numpy as np

from jaxcurriculum.envs.walker.engine.kinematics import sin_cos


def test_sines_and_cosines_over_a_thousand_turns():
    angles = np.linspace(-6300, 6300, 1_000_001).astype(np.float32)
    sin, cos = jax.jit(sin_cos)(angles)
    np.testing.assert_allclose(sin, np.sin(angles.astype(float)), atol=1e-6)
    np.testing.assert_allclose(cos, np.cos(angles.astype(float)), atol=1e-6)
