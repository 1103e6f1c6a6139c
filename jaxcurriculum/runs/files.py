"""Files that are whole or not there: written under a temporary name, flushed, renamed."""

from __future__ import annotations

import errno
import json
import os
import pathlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

# What a file system answers that cannot lock files or flush folders.
UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)


def write_json(path: pathlib.Path, content: dict[str, Any]) -> None:
    """Write `content` as indented JSON, atomically."""
    write_file(path, lambda temporary: temporary.write_text(json.dumps(content, indent=2) + "\n"))


def write_file(path: pathlib.Path, write: Callable[[pathlib.Path], Any]) -> None:
    """Call `write` on a temporary path beside `path`, flush it to the disk and rename it to
    `path`.
    """
    temporary = path.with_name(f".{path.name}.partial")
    try:
        with naming(path):
            write(temporary)
            flush(temporary)
            os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush(path.parent)


def flush(path: pathlib.Path) -> bool:
    """Wait until a file, or a folder's names, are on the disk; False where that cannot be."""
    with naming(path):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            return False
        finally:
            os.close(descriptor)
    return True


@contextmanager
def naming(path: pathlib.Path) -> Iterator[None]:
    """Inside, an OSError that names no file (as of a full disk) names `path`."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
