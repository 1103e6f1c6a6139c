"""The tasks that matter in the end: where a curriculum is to lead."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.records import Key
from jaxcurriculum.spaces import Box
from jaxcurriculum.teachers.parts.sampling import check_task, free_axes

Target = Callable[[Key], jax.Array]  # (key) -> a task [dims]; outside the space it is clipped


@dataclasses.dataclass(frozen=True, kw_only=True)
class TargetConfig(Config):
    """A Gaussian target; its standard deviation is a fraction of the space."""

    target_mean: tuple[float, ...] | None = field(
        None,
        help="mean of the target, in the axes' units; None: the centre of the space",
    )
    target_std: Swept | tuple[float, ...] = field(
        0.25,
        low=1e-6,
        help="fraction of each axis' range, one number or one an axis",
    )


def gaussian_target(config: TargetConfig, space: Box) -> tuple[jax.Array, jax.Array]:
    """Mean and standard deviation of the target over the free axes of the unit cube, [axes] both.

    Raises:
      ValueError: when `target_mean` is no task of the space, or `target_std` has not one entry an
          axis.

    >>> box = Box(names=("height", "constant"), low=(0.0, 1.0), high=(4.0, 1.0))
    >>> mean, std = gaussian_target(TargetConfig(target_mean=(3.0, 1.0)), box)
    >>> mean.tolist(), std.tolist()
    ([0.75], [0.25])
    """
    check_task(config, "target_mean", space)
    axes = free_axes(space)
    std = jnp.asarray(config.target_std, jnp.float32)
    if std.shape not in ((), (space.dims,)):
        raise ValueError(
            f"{type(config).__name__}.target_std must be one number or one an axis: {space.dims}"
            f" axes but got {config.target_std}."
        )
    std = jnp.broadcast_to(std, (space.dims,))[axes]
    if config.target_mean is None:
        return jnp.full((len(axes),), 0.5), std
    return space.to_unit(jnp.array(config.target_mean, jnp.float32))[axes], std


def target_sampler(
    config: TargetConfig, space: Box, target: Target | None
) -> Callable[[Key, int], jax.Array]:
    """A function (key, num) -> target tasks [num, axes] in the unit cube of the free axes.

    They are those of `target`; of the Gaussian that `config` names where it is None.

    Raises:
      ValueError: when `target` gives something else than a task, or for what `gaussian_target`
          refuses.
    """
    mean, std = gaussian_target(config, space)
    if target is not None:
        if not callable(target):
            raise ValueError(f"target must be a function of a key, got {target!r}.")
        given = jax.eval_shape(target, jax.random.key(0))
        if getattr(given, "shape", None) != (space.dims,):
            raise ValueError(
                f"target must give one task of {space.dims} numbers for a key, got"
                f" {jax.tree.map(lambda leaf: leaf.shape, given)}."
            )

    def sample(key: Key) -> jax.Array:
        if target is None:
            return jnp.clip(mean + std * jax.random.normal(key, mean.shape), 0.0, 1.0)
        return space.to_unit(space.clip(target(key)))[free_axes(space)]

    return lambda key, num: jax.vmap(sample)(jax.random.split(key, num))
