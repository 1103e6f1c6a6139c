"""A checkpoint with a replay: it is small while that is not full, and comes back bit for bit."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum.runs.checkpoint import ARRAYS, Checkpoints, digest


@pytest.mark.parametrize("share, least, most", [(0.1, 0, 0.12), (0.9, 1.0, 1.01)])
def test_what_is_mostly_zeros_is_compressed(tmp_path, share, least, most):
    ring = np.zeros((1000, 50), np.float32)
    filled = int(share * len(ring))
    ring[:filled] = np.random.default_rng(0).normal(size=(filled, 50))
    ring[0, :3] = np.nan, -0.0, np.inf
    state = {"ring": jnp.array(ring), "flags": jnp.zeros(9, bool)}
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, state, {})
        checkpoints.manager.wait_until_finished()
        _, restored, _ = checkpoints.restore(state, {})
    assert digest(restored) == digest(state)
    (file,) = tmp_path.rglob(ARRAYS)
    assert least * ring.nbytes <= file.stat().st_size <= most * ring.nbytes
