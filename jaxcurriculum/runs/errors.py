"""What goes wrong, as one sentence that says what a person can do.

Sentences name arguments of `runs` as Python does, in backticks: `resume=True`. The command line
says them as its flags.
"""

import errno
import os
import re

FLAGS = {
    "resume=True": "--resume",
    "path": "--name or --out",
    "num_steps": "--steps",
    "num_seeds": "--seeds",
    "rounds_per_evaluation": "--evaluate-every",
    "track_seed": "--track-seed",
    "on_policy": "--student ppo",
    "off_policy": "--student sac",
} | {name: f"--{name}" for name in ("group", "seed", "task", "at", "out", "html", "folder")}
FULL_DISK = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))


class RunError(Exception):
    """Something that the user can put right; its message is one clear sentence."""


class DamagedError(RunError):
    """Files that are not whole, without which a run cannot go on; the message ends in a remedy."""


def in_flags(message: str) -> str:
    """`message` with the command line's flags for the arguments that it names.

    >>> in_flags("It goes on with `resume=True`.")
    'It goes on with --resume.'
    """
    return re.sub("`([a-z_]+(=True)?)`", lambda found: FLAGS.get(found[1], found[0]), message)


def is_full_disk(error: Exception) -> bool:
    """Whether a disk is full, or a quota used up."""
    return any(words in str(error) for words in FULL_DISK)


def is_out_of_memory(error: Exception) -> bool:
    """Whether a device or the machine has no memory left."""
    return "RESOURCE_EXHAUSTED" in str(error) or isinstance(error, MemoryError)


def sentence(error: Exception) -> str | None:
    """What a person can do about `error`; None for a fault of the program: show its traceback."""
    text = str(error)
    if is_full_disk(error):
        where = f" ({error.filename})" if isinstance(error, OSError) and error.filename else ""
        kept = "the run is intact up to its last checkpoint: make room, then go on"
        return f"the disk is full, or a quota is used up{where}; {kept} with `resume=True`."
    if is_out_of_memory(error):
        decided = "`num_seeds`, `group` and the student's sizes decide what a run takes"
        return f"there is not enough memory; {decided} (`jaxcurriculum train --plan`)."
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"cannot use {error.filename}: {error.strerror[0].lower()}{error.strerror[1:]}."
    return text if isinstance(error, RunError | OSError) else None
