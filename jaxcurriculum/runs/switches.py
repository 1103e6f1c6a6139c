"""JAX's own switches in a run: set as the library needs them, and recorded where they change
numbers.
"""

from __future__ import annotations

from typing import Any

import jax

from jaxcurriculum.device.switches import NEEDED, value_of
from jaxcurriculum.runs.errors import RunError

IN_BATCHES = ("ignore", "JAX cannot look for these errors in a batch")
# Those of `NEEDED`, and some with which a role can be looked at from Python, but no run be made.
SET = NEEDED | {
    "jax_disable_jit": (False, "runs are compiled"),
    "jax_debug_key_reuse": (False, "branches of which one is taken share a key"),
    "jax_numpy_dtype_promotion": ("standard", "whole numbers are added to real ones"),
    "jax_legacy_prng_key": ("allow", "distrax uses keys of the old kind"),
    "jax_error_checking_behavior_nan": IN_BATCHES,
    "jax_error_checking_behavior_divide": IN_BATCHES,
    "jax_error_checking_behavior_oob": IN_BATCHES,
}
RECORDED = (
    "jax_threefry_partitionable",
    "jax_random_seed_offset",
    "jax_high_dynamic_range_gumbel",
    "jax_default_matmul_precision",
    "jax_disable_most_optimizations",
)


def set_switches() -> list[str]:
    """Set JAX's switches as a run needs them. Returns a sentence on each that was set otherwise."""
    sentences = []
    for name, (needed, reason) in SET.items():
        if value_of(name) not in (needed, None):
            jax.config.update(name, needed)
            sentences.append(f"{name} is set to {needed} for this command: {reason}.")
    return sentences


def check_device() -> None:
    """Check that there is a device to compute on.

    Raises:
      RunError: when JAX cannot use the one that it was told to use.
    """
    try:
        jax.devices()
    except (
        RuntimeError,
        AssertionError,
    ):  # the latter, without a word, for a GPU that is not there
        told = jax.config.values["jax_platforms"]
        raise RunError(
            f"JAX finds no device for JAX_PLATFORMS={told}: unset it, or set it to cpu."
        ) from None


def recorded_switches() -> dict[str, Any]:
    """JAX's switches that change a run's numbers, as they are now."""
    return {name: value_of(name) for name in RECORDED}


def check_recorded_switches(meta: dict[str, Any]) -> None:
    """Check that JAX's switches are those of the run with this meta.json.

    Raises:
      RunError: naming the first that differs; a run made before they were recorded passes.
    """
    now = recorded_switches()
    for name, before in meta.get("switches", {}).items():
        if now.get(name) != before:
            made = f"This run was made with {name.upper()}={before}, which decides its numbers"
            raise RunError(
                f"{made}, but now it is {now.get(name)}: set it as it was, or train anew."
            )
