import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.device import xla


def test_a_fusion_barrier_is_the_same_function_and_lets_nan_and_infinity_pass():
    def function(x, n):
        return {"double": 2 * x, "count": n + 1}

    for value in (1.0, jnp.nan, jnp.inf, -jnp.inf):
        x, n = jnp.array([value, 2.0]), jnp.array([3, 4])
        jax.tree.map(
            np.testing.assert_array_equal,
            jax.jit(xla.fusion_barrier(function))(x, n),
            function(x, n),
        )


def test_sines_and_cosines_over_a_thousand_turns():
    angles = np.linspace(-6300, 6300, 1_000_001).astype(np.float32)
    sin, cos = jax.jit(xla.sin_cos)(angles)
    np.testing.assert_allclose(sin, np.sin(angles.astype(float)), atol=1e-6)
    np.testing.assert_allclose(cos, np.cos(angles.astype(float)), atol=1e-6)
