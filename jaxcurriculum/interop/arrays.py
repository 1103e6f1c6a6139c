"""Pytrees in NumPy: rows put together, and arrays by their names, as checkpoints hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.records import PyTree


def stack(rows: Sequence[PyTree], blank: PyTree, num: int) -> PyTree:
    """`rows` [num, ...], the missing ones `blank`.

    >>> stack([np.float32(3)], np.float32(0), 2).tolist()
    [3.0, 0.0]
    """
    if num == 0:
        return jax.tree.map(lambda leaf: np.empty((0, *leaf.shape), leaf.dtype), blank)
    padded = [*rows, *[blank] * (num - len(rows))]
    return jax.tree.map(lambda *leaves: np.stack(leaves), *padded)


def named(tree: PyTree) -> dict[str, np.ndarray]:
    """A copy of every leaf by its name; of a random key its data.

    >>> named({"teacher": {"mean": jnp.ones(2)}})
    {'teacher.mean': array([1., 1.], dtype=float32)}
    """
    return {name: np.array(_data(leaf)) for name, leaf in _leaves(tree)}


def unnamed(like: PyTree, arrays: Mapping[str, np.ndarray], growing: Sequence[str]) -> PyTree:
    """`arrays` by name as a tree like `like`: JAX's where that has them, else NumPy's, read-only.

    Leaves below a name in `growing` may have more or fewer rows.

    Raises:
      ValueError: naming the first array that is missing, not known, or of another kind.
    """
    leaves = dict(_leaves(like))
    strangers = [name for name in arrays if name not in leaves]
    if strangers:
        raise ValueError(f"state_dict must hold nothing else, got {strangers[0]!r}.")
    found = []
    for name, leaf in leaves.items():
        if name not in arrays:
            raise ValueError(f"state_dict must hold {name!r}, which is missing.")
        array, kind = np.array(arrays[name]), _data(leaf)
        first = 1 if name.split(".")[0] in growing else 0
        if (array.dtype, array.shape[first:]) != (kind.dtype, kind.shape[first:]):
            raise ValueError(
                f"state_dict[{name!r}] must be {_kind(kind)}, got {_kind(array)}: it is of another"
                " teacher, batch or list of scores."
            )
        array.setflags(write=False)
        found.append(_as(leaf, array))
    return jax.tree.unflatten(jax.tree.structure(like), found)


def check_finite(what: str, tree: PyTree) -> None:
    """Check that no number of `tree` is nan or infinite.

    Raises:
      ValueError: naming the first array that holds one.
    """
    for name, array in named(tree).items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            number = array[~np.isfinite(array)][0]
            raise ValueError(f"{what} must be finite numbers, got {number} in {name!r}.")


def _leaves(tree: PyTree) -> list[tuple[str, jax.Array | np.ndarray]]:
    paths = jax.tree_util.tree_leaves_with_path(tree)
    return [(jax.tree_util.keystr(path, simple=True, separator="."), leaf) for path, leaf in paths]


def _data(leaf: jax.Array | np.ndarray) -> np.ndarray:
    is_key = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    return np.asarray(jax.random.key_data(leaf) if is_key else leaf)


def _as(leaf: jax.Array | np.ndarray, array: np.ndarray) -> jax.Array | np.ndarray:
    """`array` as the kind of thing that `leaf` is."""
    if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return jax.random.wrap_key_data(jnp.array(array))
    return jnp.array(array) if isinstance(leaf, jax.Array) else array


def _kind(array: np.ndarray) -> str:
    return f"{array.dtype}{list(array.shape)}"
