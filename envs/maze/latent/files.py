"""A trained autoencoder of mazes as a file: which one it is, its sizes, and its parameters."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import zipfile

import flax.serialization
import jax
import numpy as np

from jaxcurriculum.envs.maze.latent.autoencoder import LevelVae
from jaxcurriculum.envs.maze.latent.cell_vae import CellVaeConfig, cell_vae
from jaxcurriculum.envs.maze.latent.sequence_vae import SequenceVaeConfig, sequence_vae
from jaxcurriculum.records import PyTree

KINDS = {
    "cell-vae": (CellVaeConfig, cell_vae),
    "sequence-vae": (SequenceVaeConfig, sequence_vae),
}

# Those that come with the package, by name.
TRAINED = {
    name: pathlib.Path(__file__).with_name(f"{name.replace('-', '_')}.npz")
    for name in ("cells-13", "sequences-13")
}


def save_vae(path: str | pathlib.Path, vae: LevelVae, parameters: PyTree) -> None:
    """Write `vae` with its `parameters` to an .npz file, in half precision.

    Raises:
      ValueError: when it is none of this library's.
    """
    if vae.name not in KINDS:
        raise ValueError(f"save_vae.vae must be one of {', '.join(KINDS)}, got {vae.name!r}.")
    about = {"kind": vae.name, "config": dataclasses.asdict(vae.config)}
    weights = jax.tree.map(lambda leaf: np.asarray(leaf, np.float16), parameters)
    with open(path, "wb") as file:
        np.savez_compressed(file, about=np.array(json.dumps(about)), weights=_bytes(weights))


def load_vae(path: str | pathlib.Path) -> tuple[LevelVae, PyTree]:
    """The autoencoder and the parameters that `save_vae` wrote.

    Args:
      path: of the file, or the name of one of `TRAINED`.

    Raises:
      TypeError: when `path` is none.
      ValueError: when the file is no autoencoder, or is missing.
    """
    if not isinstance(path, str | pathlib.Path):
        raise TypeError(f"load_vae.path must be a path or a name, got {path!r}.")
    try:
        with _opened(TRAINED.get(str(path), path)) as arrays:
            about = json.loads(str(arrays["about"]))
            make_config, make = KINDS[about["kind"]]
            sizes = {name: _tuples(value) for name, value in about["config"].items()}
            vae = make(make_config(**sizes))
            like = jax.eval_shape(vae.init, jax.random.key(0))
            parameters = flax.serialization.from_bytes(like, arrays["weights"].tobytes())
            _check_shapes(like, parameters)
    except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} must be an autoencoder of mazes (`save_vae`): {error}") from error
    return vae, jax.tree.map(lambda leaf: np.asarray(leaf, np.float32), parameters)


def _opened(path: str | pathlib.Path) -> np.lib.npyio.NpzFile:
    if pathlib.Path(path).is_dir():
        raise ValueError("it is a folder.")
    with open(path, "rb") as file:
        if not zipfile.is_zipfile(file):
            raise ValueError("it is no .npz file.")
    return np.load(path)


def _check_shapes(like: PyTree, weights: PyTree) -> None:
    expected = jax.tree_util.tree_leaves_with_path(like)
    for (path, leaf), stored in zip(expected, jax.tree.leaves(weights)):
        if np.shape(stored) != leaf.shape:
            raise ValueError(
                f"its weights {jax.tree_util.keystr(path)} must have the shape"
                f" {list(leaf.shape)}, got {list(np.shape(stored))}."
            )


def _bytes(weights: PyTree) -> np.ndarray:
    return np.frombuffer(flax.serialization.to_bytes(weights), np.uint8)


def _tuples(value):
    return tuple(value) if isinstance(value, list) else value
