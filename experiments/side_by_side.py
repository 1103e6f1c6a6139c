"""What studies of learners share: seeds side by side in one program, results in one file."""

from __future__ import annotations

import json
import pathlib
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum import Loop
from jaxcurriculum.loop import LoopState


def returns(loop: Loop, num_seeds: int, num_evaluations: int) -> np.ndarray:
    """The mean test return at every evaluation, [num_seeds, num_evaluations]."""
    rounds = loop.config.rounds_per_evaluation

    def one_seed(key: jax.Array) -> jax.Array:
        def advance(state: LoopState, index: jax.Array) -> tuple[LoopState, jax.Array]:
            state, report = loop.advance(state, rounds * index)
            return state, report.evaluation.returns.mean()

        evaluations = jnp.arange(num_evaluations, dtype=jnp.int32)
        return jax.lax.scan(advance, loop.init(key), evaluations)[1]

    keys = jax.random.split(jax.random.key(0), num_seeds)
    return np.asarray(jax.jit(jax.vmap(one_seed))(keys), np.float64)


def add_row(
    path: pathlib.Path,
    name: str,
    make_loop: Callable[[], Loop],
    num_seeds: int,
    num_evaluations: int,
) -> dict[str, Any]:
    """The row `name` of the study at `path`, which is run, and written, if it is not there yet."""
    rows = json.loads(path.read_text()) if path.exists() else {}
    if name not in rows:
        start = time.perf_counter()
        loop = make_loop()
        curves = returns(loop, num_seeds, num_evaluations)
        every = loop.config.rounds_per_evaluation * loop.student.steps_per_round
        rows[name] = {
            "steps": [every * (index + 1) for index in range(num_evaluations)],
            "returns": curves.round(4).tolist(),
            "seconds": round(time.perf_counter() - start, 1),
        }
        final = curves[:, -1]
        print(f"{name}: {final.mean():.3f} ± {final.std(ddof=1):.3f}, {final.round(3)}", flush=True)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(rows) + "\n")
        new.replace(path)
    return rows[name]
