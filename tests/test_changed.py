"""Which tests `make check` runs."""

import changed
import pytest

TESTS = [
    "tests/test_loop.py",
    "tests/teachers/test_riac.py",
    "tests/teachers/test_riac_regions.py",
    "tests/teachers/test_batching.py",
    "tests/envs/walker/test_batching.py",
]


@pytest.mark.parametrize(
    ("files", "found", "missing"),
    [
        ([], [], []),
        (["README.md", "jaxcurriculum/__init__.py"], [], []),
        (
            ["jaxcurriculum/teachers/riac.py"],
            ["tests/teachers/test_riac.py", "tests/teachers/test_riac_regions.py"],
            [],
        ),
        (["tests/test_loop.py"], ["tests/test_loop.py"], []),
        (
            ["envs/walker/batching.py"],
            ["tests/envs/walker/test_batching.py", "tests/teachers/test_batching.py"],
            [],
        ),
        (["jaxcurriculum/loop.py", "bench/parts.py"], ["tests/test_loop.py"], ["bench/parts.py"]),
        (
            ["tests/test_gone.py", "jaxcurriculum/gone.py"],
            [],
            ["jaxcurriculum/gone.py", "tests/test_gone.py"],
        ),
    ],
)
def test_tests_are_named_after_what_they_test(files, found, missing):
    assert changed.tests_of(files, TESTS) == (sorted([*found, *changed.QUICK]), missing)


def test_the_quick_ones_exist():
    assert all((changed.ROOT / name).is_file() for name in changed.QUICK)
