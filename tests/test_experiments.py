"""The studies that `experiments/` has as files: every run that they name can be made."""

import pathlib

import jax
import pytest

from jaxcurriculum.cli.build import set_up
from jaxcurriculum.study.cells import cells_of
from jaxcurriculum.study.files import read_study
from jaxcurriculum.study.programs import unchecked

FILES = sorted((pathlib.Path(__file__).parents[1] / "experiments").glob("*.toml"))


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_cell_of_a_file_can_be_made(file):
    cells = cells_of(read_study(file))
    loops = [set_up(cell.settings, make=unchecked).loop for cell in cells]
    assert all(jax.tree.leaves(loop.test_tasks)[0].shape[0] for loop in loops)
