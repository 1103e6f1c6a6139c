"""The README's programs run as they stand, one after the other, as a reader would type them."""

import pathlib
import re

import jax
import pytest

README = (pathlib.Path(__file__).parents[1] / "README.md").read_text()


@pytest.mark.slow
def test_the_programs_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    programs = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(programs) == 6
    names = {}
    with jax.numpy_rank_promotion("allow"):
        for program in programs:
            exec(compile(program, "README.md", "exec"), names)
        loop = names["walking"]
        jax.block_until_ready(jax.jit(loop.round)(loop.init(jax.random.key(0)), jax.numpy.int32(0)))


def test_the_examples_are_short():
    programs = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    lines = [len([line for line in program.splitlines() if line.strip()]) for program in programs]
    assert lines[0] < 20 and lines[2] <= 17, (
        "the whole example under 20 lines, a teacher in 15 beside its import and its use"
    )
