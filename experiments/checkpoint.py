"""Checkpoints of a whole run: every seed's loop state and the number of evaluations done, through orbax.

Orbax writes a checkpoint beside the others and renames it when it is complete. What it does not notice is damage done later, so each
checkpoint carries the settings, the shapes and a digest of the state that it holds.
"""

from __future__ import annotations

import hashlib
import logging
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp

from jaxcurriculum.experiments.errors import RunError
from jaxcurriculum.types import PyTree

NUM_KEPT = 2


class Checkpoints:
    """The checkpoints under `folder`; `save` returns while the last bytes are still being written, `close` waits for them."""

    def __init__(self, folder: pathlib.Path):
        for noisy in ("absl", "asyncio"):  # what goes wrong with a damaged checkpoint is said in one sentence
            logging.getLogger(noisy).setLevel(logging.CRITICAL)
        self.folder = folder
        self.manager = ocp.CheckpointManager(folder.absolute(), options=ocp.CheckpointManagerOptions(max_to_keep=NUM_KEPT))

    def __enter__(self) -> Checkpoints:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def save(self, advance: int, state: PyTree, config: dict[str, Any]) -> None:
        """Save `state` as it is after `advance` evaluations, with the `config` it belongs to; nothing to do when it is saved already."""
        if advance == self.manager.latest_step():
            return
        about = {"config": config, "shapes": shapes(state), "digest": digest(state)}
        self.manager.save(advance, args=ocp.args.Composite(state=ocp.args.StandardSave(state), about=ocp.args.JsonSave(about)))

    def restore(self, like: PyTree, config: dict[str, Any]) -> tuple[int, PyTree, list[str]] | None:
        """The newest intact checkpoint as (evaluations done, state, damages met on the way), or None where there is none.

        `like` is a state of the same program: its shapes, dtypes and shardings are those of the result.

        Raises:
          RunError: when a checkpoint belongs to other settings or shapes, or when every checkpoint is damaged.
        """
        damages = {}
        for advance in sorted(self.manager.all_steps(), reverse=True):
            try:
                state = self._restore(advance, like, config)
            except RunError:
                raise
            except Exception as error:  # orbax, tensorstore and json each raise their own for a damaged file
                damages[advance] = f"Checkpoint {self.folder / str(advance)} is damaged ({str(error).strip().splitlines()[0][:120]})."
                continue
            return advance, state, list(damages.values())
        if damages:
            raise RunError(f"{' '.join(damages.values())} No intact checkpoint is left: train again under another --name.")
        return None

    def forget_after(self, advance: int) -> None:
        """Remove the checkpoints newer than `advance`: a run that goes on from there will write them anew."""
        for newer in [step for step in self.manager.all_steps() if step > advance]:
            self.manager.delete(newer)

    def close(self) -> None:
        """Wait until everything is written."""
        self.manager.close()

    def _restore(self, advance: int, like: PyTree, config: dict[str, Any]) -> PyTree:
        about = self.manager.restore(advance, args=ocp.args.Composite(about=ocp.args.JsonRestore()))["about"]
        for what, mine, theirs in (("setting", config, about["config"]), ("shape of", shapes(like), about["shapes"])):
            if difference := first_difference(theirs, mine):
                name, there, here = difference
                raise RunError(
                    f"Checkpoint {self.folder / str(advance)} is of another run: {what} {name} is {there} there and {here} here."
                )
        target = jax.tree.map(ocp.utils.to_shape_dtype_struct, like)
        state = self.manager.restore(advance, args=ocp.args.Composite(state=ocp.args.StandardRestore(target)))["state"]
        if digest(state) != about["digest"]:
            raise OSError("its bytes are not those that were saved")
        return state


def shapes(state: PyTree) -> dict[str, str]:
    """The shape and dtype of every leaf by its path, "float32[2,64]"."""
    return {jax.tree_util.keystr(path, simple=True, separator="."): f"{leaf.dtype}{list(leaf.shape)}" for path, leaf in _leaves(state)}


def digest(state: PyTree) -> str:
    """A fingerprint of every byte of `state`."""
    fingerprint = hashlib.blake2b(digest_size=16)
    for _, leaf in _leaves(state):
        is_key = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        fingerprint.update(np.asarray(jax.random.key_data(leaf) if is_key else leaf).tobytes())
    return fingerprint.hexdigest()


def first_difference(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, Any, Any] | None:
    """The first name whose value differs, with both values ("nothing" where it is absent), or None."""
    for name in {**old, **new}:
        before, now = old.get(name, "nothing"), new.get(name, "nothing")
        if before != now:
            return name, before, now
    return None


def _leaves(state: PyTree) -> list[tuple[Any, jax.Array]]:
    return jax.tree_util.tree_leaves_with_path(state)
