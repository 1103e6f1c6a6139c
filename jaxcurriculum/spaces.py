"""Task spaces. `Box`, named axes with bounds and units, is the one that the continuous teachers need."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.fields import is_number
from jaxcurriculum.records import Key, PyTree


class Space(Protocol):
    """What every task space offers. Tasks are pytrees; each function is about one task."""

    def sample(self, key: Key) -> PyTree:
        """A task drawn from the space's own (uniform) distribution."""
        ...

    def contains(self, task: PyTree) -> jax.Array:
        """Whether `task` lies in the space, [] bool."""
        ...

    def clip(self, task: PyTree) -> PyTree:
        """The task of the space that is nearest to `task`."""
        ...

    def mutate(self, key: Key, task: PyTree, scale: float) -> PyTree:
        """A random neighbour of `task`; `scale` is a fraction of the space."""
        ...


@dataclasses.dataclass(frozen=True, init=False)
class Box:
    """A box of named axes. A task is a float32 array [dims] in the axes' own units.

    Args:
      names: one name an axis.
      low, high: bounds, inclusive, in `units`; high >= low. A zero-width axis is allowed (a constant).
      units: one unit an axis, "" for none.
      log: axes on which equal ratios are equal distances (their low must be positive).

    Raises:
      ValueError: when the lengths differ, two names are equal, a bound or the distance of two is not finite in float32, they are the
        wrong way round, or a log axis is not positive.

    >>> box = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0), units=("steps", "m"))
    >>> box.dims, [float(x) for x in box.from_unit(jnp.array([0.5, 0.5]))]
    (2, [1.5, 3.0])
    """

    names: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    units: tuple[str, ...]
    log: tuple[bool, ...]

    def __init__(
        self,
        names: Sequence[str],
        low: Sequence[float],
        high: Sequence[float],
        units: Sequence[str] | None = None,
        log: Sequence[bool] | None = None,
    ):
        units = ("",) * len(names) if units is None else units
        log = (False,) * len(names) if log is None else log
        for field, value, kind in zip(
            ("names", "low", "high", "units", "log"), (names, low, high, units, log), (str, float, float, str, bool)
        ):
            if len(value) != len(names):
                raise ValueError(f"Box.{field} must have one entry an axis: {len(names)} names but {len(value)} in {field}.")
            object.__setattr__(self, field, tuple(kind(x) for x in value))
        if not names:
            raise ValueError("Box.names must name at least one axis, got none.")
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"Box.names must differ from each other, got {self.names}.")
        for name, lo, hi, is_log in zip(self.names, self.low, self.high, self.log):
            if not (is_number(lo) and is_number(hi) and is_number(hi - lo, 0)):
                raise ValueError(
                    f"Box axis {name!r}: bounds and their distance must be finite in float32, low <= high, got low={lo}, high={hi}."
                )
            if is_log and lo <= 0:
                raise ValueError(f"Box axis {name!r} is logarithmic, so its low must be positive, got {lo}.")

    @property
    def dims(self) -> int:
        return len(self.names)

    def to_unit(self, task: jax.Array) -> jax.Array:
        """Task [dims] to the unit cube, 0 at low and 1 at high (0 on a zero-width axis)."""
        low, width = self._unit_frame()
        return (self._straighten(task) - low) / np.where(width > 0, width, 1).astype(np.float32)

    def from_unit(self, unit: jax.Array) -> jax.Array:
        """Point of the unit cube [dims] to a task, the inverse of `to_unit`."""
        low, width = self._unit_frame()
        straight = jnp.asarray(low + unit * width)
        task = jnp.where(np.array(self.log), jnp.exp(straight), straight) if any(self.log) else straight
        return self.clip(task)  # rounding must not step over a bound

    def sample(self, key: Key) -> jax.Array:
        """A task, uniform over the box (over its logarithm on log axes), [dims]."""
        return self.from_unit(jax.random.uniform(key, (self.dims,)))

    def contains(self, task: jax.Array) -> jax.Array:
        """Whether task [dims] lies in the box, bounds included; nan does not. [] bool."""
        return jnp.all((task >= self._array(self.low)) & (task <= self._array(self.high)))

    def clip(self, task: jax.Array) -> jax.Array:
        """The point of the box nearest to task [dims]; nan stays nan."""
        return jnp.clip(task, self._array(self.low), self._array(self.high))

    def mutate(self, key: Key, task: jax.Array, scale: float) -> jax.Array:
        """`task` [dims] plus Gaussian noise of standard deviation `scale` in the unit cube, clipped."""
        noise = scale * jax.random.normal(key, (self.dims,))
        return self.from_unit(jnp.clip(self.to_unit(task) + noise, 0.0, 1.0))

    def _straighten(self, task: jax.Array) -> jax.Array:
        if not any(self.log):
            return task
        is_log = np.array(self.log)
        return jnp.where(is_log, jnp.log(jnp.where(is_log, task, 1.0)), task)

    def _unit_frame(self) -> tuple[np.ndarray, np.ndarray]:
        low, high = (np.where(self.log, np.log(np.where(self.log, x, 1.0)), x) for x in (np.array(self.low), np.array(self.high)))
        return low.astype(np.float32), (high - low).astype(np.float32)

    def _array(self, bound: tuple[float, ...]) -> np.ndarray:
        return np.array(bound, np.float32)
