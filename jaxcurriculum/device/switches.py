"""JAX's own switches that this library needs at one value."""

from __future__ import annotations

from typing import Any

import jax

_ABSENT = "nan and infinity stand for what is unknown or absent"
NEEDED: dict[str, tuple[Any, str]] = {  # the value that is needed, and why
    "jax_enable_x64": (False, "everything is computed in float32"),
    "jax_default_prng_impl": (
        "threefry2x32",
        "with other generators a level that is made in a batch does not follow from its seed",
    ),
    "jax_debug_nans": (False, f"{_ABSENT} (`jaxcurriculum train --debug` looks for other nans)"),
    "jax_debug_infs": (False, _ABSENT),
}


def value_of(name: str) -> Any:
    """JAX's switch `name` as it is in this thread, None where this version of JAX has none."""
    return getattr(jax.config, name, jax.config.values.get(name))


def check_switches(*names: str) -> None:
    """Check JAX's switches `names`, by default all of `NEEDED`, as they are in this thread.

    Raises:
      ValueError: naming the first one that has another value.

    >>> check_switches()
    """
    for name in names or NEEDED:
        needed, reason = NEEDED[name]
        value = value_of(name)
        if value != needed:
            remedy = f'call jax.config.update("{name}", {needed!r}) first'
            raise ValueError(f"{name} must be {needed!r}, as {reason}, got {value!r}: {remedy}.")
