"""The tests named after what changed, for `make check`: changed tests, `test_NAME.py` and
`test_NAME_*.py` for a changed `NAME.py`, and a few that are quick.
"""

from __future__ import annotations

import pathlib
import subprocess
import sys
from collections.abc import Iterable

ROOT = pathlib.Path(__file__).parents[1]
QUICK = (
    "tests/test_spaces.py",
    "tests/report/test_statistics.py",
    "tests/students/test_toy_grid.py",
)


def changed_files() -> list[str]:
    """Files that differ from where this branch left `main`, new ones included."""
    base = _git("merge-base", "HEAD", "main") or ["HEAD"]
    return [
        *_git("diff", "--name-only", base[0]),
        *_git("ls-files", "--others", "--exclude-standard"),
    ]


def _git(*arguments: str) -> list[str]:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True
    ).stdout.split()


def tests_of(changed: Iterable[str], tests: Iterable[str]) -> tuple[list[str], list[str]]:
    """The tests among `tests` that are to run, and the changed Python files after which none is
    named.
    """
    paths = [pathlib.PurePath(name) for name in changed]
    paths = [path for path in paths if path.suffix == ".py" and path.stem != "__init__"]
    stems = {path.stem: str(path) for path in paths}
    named = {test: _names(pathlib.PurePath(test).stem) for test in tests}
    found = [test for test, names in named.items() if names & stems.keys()]
    known = set().union(*named.values())
    missing = [path for stem, path in stems.items() if stem not in known]
    return sorted({*found, *QUICK}), sorted(missing)


def _names(stem: str) -> set[str]:
    """A test and what it may be named after: of test_riac_regions riac_regions and riac, too."""
    words = stem.removeprefix("test_").split("_")
    return {stem, *("_".join(words[:num]) for num in range(1, len(words) + 1))}


def main() -> None:
    tests = [str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py")]
    found, missing = tests_of(changed_files(), tests)
    if missing:
        print(
            f"No test is named after {', '.join(missing)}: `make test` covers them.",
            file=sys.stderr,
        )
    print(*found)


if __name__ == "__main__":
    main()
