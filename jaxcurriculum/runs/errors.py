"""What goes wrong, as one sentence for the person at the command line."""

import errno
import os

FULL_DISK = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))


class RunError(Exception):
    """Something that the user can put right; its message is one clear sentence."""


def sentence(error: Exception) -> str | None:
    """What a person can do about `error`; None for a fault of the program: show its traceback."""
    text = str(error)
    if any(words in text for words in FULL_DISK):
        where = f" ({error.filename})" if isinstance(error, OSError) and error.filename else ""
        kept = "the run is intact up to its last checkpoint: make room, then go on with --resume"
        return f"the disk is full, or a quota is used up{where}; {kept}."
    if "RESOURCE_EXHAUSTED" in text or isinstance(error, MemoryError):
        decided = "--plan says what a run takes, --seeds, --group and the student's sizes decide it"
        return f"there is not enough memory; {decided}."
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"cannot use {error.filename}: {error.strerror[0].lower()}{error.strerror[1:]}."
    return text if isinstance(error, RunError | OSError) else None
