"""Checkpoints of a whole run: every seed's loop state and the number of evaluations done, through
orbax.

Orbax writes a checkpoint beside the others and renames it when it is complete. What it does not
notice is damage done later, so each checkpoint carries the settings, the shapes and a digest of the
state that it holds.

The arrays are an npz file: orbax's own format takes `[`, `*` and `?` in a folder's name for a
pattern, refuses a backslash, and needs locks and flushed folders, which clusters may not have.
"""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
import threading
import zipfile
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp

from jaxcurriculum.records import PyTree
from jaxcurriculum.runs.errors import DamagedError, RunError
from jaxcurriculum.runs.files import naming, write_file
from jaxcurriculum.runs.store import differ

NUM_KEPT = 2
ORBAX = threading.RLock()  # its operations are numbered, and wait for each other, by process
ARRAYS = "arrays.npz"


class ArraysHandler(ocp.CheckpointHandler):
    """Keeps a list of arrays in one npz file; those that are mostly zeros are compressed, as a
    replay that is not full yet.
    """

    def save(self, directory: Any, args: Arrays) -> None:
        def write(path):
            with zipfile.ZipFile(path, "w") as archive:
                for index, array in enumerate(args.arrays):
                    member = zipfile.ZipInfo(f"arr_{index}.npy")
                    if 2 * np.count_nonzero(array) < array.size:
                        member.compress_type = zipfile.ZIP_DEFLATED
                    with archive.open(member, "w", force_zip64=True) as file:
                        np.lib.format.write_array(file, array)

        write_file(pathlib.Path(directory) / ARRAYS, write)

    def restore(self, directory: Any, args: Arrays | None = None) -> list[np.ndarray]:
        with open(pathlib.Path(directory) / ARRAYS, "rb") as file, np.load(file) as arrays:
            return [arrays[f"arr_{index}"] for index in range(len(arrays.files))]


@ocp.args.register_with_handler(ArraysHandler, for_save=True, for_restore=True)
@dataclasses.dataclass
class Arrays(ocp.args.CheckpointArgs):
    """What `ArraysHandler` is to save; nothing, where it is to restore."""

    arrays: list[np.ndarray] = dataclasses.field(default_factory=list)


class Checkpoints:
    """The checkpoints under `folder`. Several threads may each have some."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        options = ocp.CheckpointManagerOptions(max_to_keep=NUM_KEPT)
        with ORBAX:
            self.manager = ocp.CheckpointManager(folder.absolute(), options=options)

    def __enter__(self) -> Checkpoints:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def save(self, advance: int, state: PyTree, config: dict[str, Any]) -> None:
        """Save `state` as it is after `advance` evaluations, with the `config` it belongs to;
        nothing to do when it is saved already.
        """
        if advance == self.manager.latest_step():
            return
        about = {"config": config, "shapes": shapes(state), "digest": digest(state)}
        items = {"state": Arrays(_arrays(state)), "about": ocp.args.JsonSave(about)}
        with ORBAX, naming(self.folder / str(advance)):
            self.manager.save(advance, args=ocp.args.Composite(**items))
            self.manager.wait_until_finished()

    def restore(self, like: PyTree, config: dict[str, Any]) -> tuple[int, PyTree, list[str]] | None:
        """The newest intact checkpoint as (evaluations done, state, damages met on the way), or
        None where there is none.

        `like` is a state of the same program, or its shapes: its dtypes and shardings are those of
        the result, which lies on the first device where it has none.

        Raises:
          RunError: when a checkpoint belongs to other settings or shapes.
          DamagedError: when every checkpoint is damaged.
        """
        damages = {}
        for advance in sorted(self.manager.all_steps(), reverse=True):
            path = self.folder / str(advance)
            try:
                arrays = self._read(advance, like, config)
            except Exception as error:  # zipfile, numpy and json each raise their own for damage
                if not _is_damage(error):
                    raise
                reason = str(error).strip().splitlines()[0][:120]
                damages[advance] = f"Checkpoint {path} is damaged ({reason})."
                continue
            return advance, _placed(arrays, like), list(damages.values())
        if damages:
            raise DamagedError(
                f"{' '.join(damages.values())} No intact checkpoint is left: begin again in"
                " another folder."
            )
        return None

    def forget_after(self, advance: int) -> None:
        """Remove the checkpoints newer than `advance`: a run that goes on from there will write
        them anew.
        """
        for newer in [step for step in self.manager.all_steps() if step > advance]:
            self.manager.delete(newer)

    def close(self) -> None:
        """Let go of the folder."""
        with ORBAX, naming(self.folder):
            self.manager.close()

    def _read(self, advance: int, like: PyTree, config: dict[str, Any]) -> list[np.ndarray]:
        """The arrays of one checkpoint, once it is known to be of this run and intact."""
        path = self.folder / str(advance)
        with ORBAX, naming(path):
            items = ocp.args.Composite(about=ocp.args.JsonRestore())
            about = self.manager.restore(advance, args=items)["about"]
            own = {"config": ("setting", config), "shapes": ("shape of", shapes(like))}
            for key, (what, ours) in own.items():
                if difference := first_difference(about[key], ours):
                    name, there, here = difference
                    foreign = f"{what} {name} is {there} there and {here} here"
                    raise RunError(f"Checkpoint {path} is of another run: {foreign}.")
            items = ocp.args.Composite(state=Arrays())
            arrays = self.manager.restore(advance, args=items)["state"]
        if digest(arrays) != about["digest"]:
            raise ValueError("its bytes are not those that were saved")
        return arrays


def shapes(state: PyTree) -> dict[str, str]:
    """The shape and dtype of every leaf by its path, "float32[2,64]"."""
    return {
        jax.tree_util.keystr(path, simple=True, separator="."): f"{leaf.dtype}{list(leaf.shape)}"
        for path, leaf in _leaves(state)
    }


def digest(state: PyTree) -> str:
    """A fingerprint of every byte of `state`."""
    fingerprint = hashlib.blake2b(digest_size=16)
    for array in _arrays(state):
        fingerprint.update(array.tobytes())
    return fingerprint.hexdigest()


def first_difference(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, Any, Any] | None:
    """The first name whose value differs, with both values ("nothing" where it is absent), or
    None.
    """
    for name in {**old, **new}:
        before, now = old.get(name, "nothing"), new.get(name, "nothing")
        if differ(before, now):
            return name, before, now
    return None


def _leaves(state: PyTree) -> list[tuple[Any, jax.Array]]:
    return jax.tree_util.tree_leaves_with_path(state)


def _arrays(state: PyTree) -> list[np.ndarray]:
    """Every leaf on the host, keys as their numbers."""
    numbers = lambda leaf: jax.random.key_data(leaf) if _is_key(leaf) else leaf
    return [np.asarray(numbers(leaf)) for leaf in jax.tree.leaves(state)]


def _placed(arrays: list[np.ndarray], like: PyTree) -> PyTree:
    """The inverse of `_arrays`: as keys, dtypes and shardings of `like`."""

    def place(array, leaf):
        if _is_key(leaf):
            impl = jax.random.key_impl(jnp.zeros((), leaf.dtype))
            array = jax.random.wrap_key_data(array, impl=impl)
        else:
            array = array.view(leaf.dtype)  # a file forgets types that numpy lacks, as bfloat16
        return jax.device_put(array, leaf.sharding)

    leaves, tree = jax.tree.flatten(like)
    return jax.tree.unflatten(tree, [place(array, leaf) for array, leaf in zip(arrays, leaves)])


def _is_key(leaf: Any) -> bool:
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _is_damage(error: Exception) -> bool:
    """Whether a file's content is at fault, or a file is missing, rather than the reading of it."""
    if isinstance(error, FileNotFoundError):
        return True
    return not isinstance(error, RunError | OSError | MemoryError)
