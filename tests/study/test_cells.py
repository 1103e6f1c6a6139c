"""The combinations that a study names, what they are called, and what is no study."""

import pytest

from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.study import Study, read_study
from jaxcurriculum.study.cells import cells_of


def names(**fields):
    return [cell.name for cell in cells_of(Study(**fields))]


def test_every_combination_has_a_name_of_what_differs():
    settings = {"alp-gmm": {"exploration": (0.1, 0.25), "fit_every": 50}, "toy-grid": {"cells": 5}}
    found = names(teachers=("random", "alp-gmm"), students=("toy-grid",), settings=settings)
    assert found == [
        "toy-grid_random",
        "toy-grid_alp-gmm_exploration=0.1",
        "toy-grid_alp-gmm_exploration=0.25",
    ]


def test_worlds_bodies_and_challenges_multiply_and_simulated_students_have_none():
    settings = {"stump-tracks": {"body": ["default", "short"]}, "ppo": {"hidden": [[32], [64, 64]]}}
    found = names(
        teachers=("random",),
        students=("ppo", "toy-grid"),
        envs=("stump-tracks",),
        challenges=("none", "rugged"),
        settings=settings,
    )
    assert len(found) == 2 * 2 * 2 + 2
    assert "stump-tracks_ppo_random_rugged_body=short_hidden=64x64" in found
    assert found[-2:] == ["toy-grid_random", "toy-grid_random_rugged"]


def test_a_list_is_the_value_of_a_field_that_holds_several():
    one = cells_of(Study(settings={"ppo": {"hidden": [32, 16]}}))
    assert [cell.settings.fields["student.hidden"] for cell in one] == [(32, 16)]
    assert [cell.name for cell in one] == ["stump-tracks_ppo_alp-gmm"]


def test_names_are_safe_and_differ_where_values_do():
    settings = {"alp-gmm": {"exploration": [0.1, 0.1 + 1e-9]}}
    found = names(teachers=("alp-gmm",), students=("toy-grid",), settings=settings)
    assert len(set(found)) == 2
    (own,) = names(teachers=("jaxcurriculum.teachers:random",), students=("toy-grid",))
    assert own.startswith("toy-grid_jaxcurriculum.teachers-random_")


START = 'teachers = ["random"]\nstudents = ["toy-grid"]\n'
BAD = {
    'teachers = ["random", "alp-gm"]': "line 1: there is no teacher 'alp-gm'; did you mean alp-gmm",
    'teachers = [\n  "random",\n  "alp-gm",\n]': "line 3: there is no teacher 'alp-gm'",
    "teachers = []": "line 1: teachers is empty",
    'teachers = "random"': "line 1: teachers must be a list",
    'teachers = ["random", "random"]': "line 1: teachers names random twice",
    'teacher = ["random"]': "line 1: there is no entry 'teacher'; did you mean teachers",
    'envs = []\nstudents = ["ppo"]': "line 1: envs is empty",
    'learners = ["mine:one"]\nstudents = ["toy-grid"]': "line 1: learners: no student of the study",
    'students = ["toy-grid"]\n'
    + 'teachers = ["random", "nowhere:one"]': "line 2: nowhere:one: No module",
    START
    + 'test_set = "held-out"': "line 3: there is no test set 'held-out' of toy-grid; there are",
    'envs = ["maze", "cart-pole"]\ntest_set = "held-out"': "line 2: there is no test set",
    START + "seeds = 0": "line 3: Study.seeds must be an integer from 1",
    START + "steps = 1e15": "line 3: Study.steps must be",
    "": "says no study",
    START + 'steps = "many"': "line 3: Study.steps must be",
    START + "[alp-gmm]\nexploration = 0.1": "line 3: there is no part 'alp-gmm' in this study",
    START + "\n# a comment\n[toy-grid]\ncels = 5": "line 6: there is no setting of toy-grid 'cels'",
    START + "[toy-grid]\ncells = []": "line 4: toy-grid.cells is empty",
    START + "[toy-grid]\ncells = [5, 5]": "line 4: toy-grid.cells has 5 twice",
    START + "seeds = 2\ntoy-grid = {cells = []}": "line 4: toy-grid.cells is empty",
    START
    + '[toy-grid]\nnote = """\n[toy-grid]\ncells = 1\n"""\ncells = []': "line 4: there is no s",
    START + "[toy-grid]\nstart_cell = [\n  [1, 1]\n]\nunlearnable = []": "line 7: toy-grid.unlea",
    START + "[[toy-grid]]\ncells = 5": "line 3: the settings of toy-grid are a table",
    START + "toy-grid = 3": "line 3: the settings of toy-grid are a table: [toy-grid].",
    "loop = [1]": "line 1: the settings of loop are a table: [loop].",
    "students = 3": "line 1: students must be a list",
    START + 'envs = ["maze"]': "line 3: envs: no student of the study plays one",
    START + 'knowledge = ["some"]': "line 3: there is no knowledge 'some'",
    START + "seeds = \n": "line 3",
    START + "[toy-grid]\ncells = 5\nunlearnable = 2": "line 5: toy-grid: ToyGridConfig.unlearnable",
    START + "[toy-grid]\ncells = [5, 0]": "line 4: toy-grid: ToyGridConfig.cells must be an int",
    START + '[toy-grid]\ncells = "None"': "line 4: toy-grid: ToyGridConfig.cells must be an int",
    START + "[loop]\nrounds_per_evaluation = 3": "line 4: loop.rounds_per_evaluation follows from",
    START + "[grid]\ncells = 5": "'grid' in this study; did you mean toy-grid",
    START + "[none]\ncells = 5": "'none' in this study; there are loop, toy-grid, random.",
}


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_study_is_told_with_its_line(tmp_path, text):
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(RunError, match="bad.toml") as told:
        read_study(file)
    assert BAD[text] in str(told.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(RunError, match="There is no file"):
        read_study(tmp_path / "none.toml")
    with pytest.raises(RunError, match="study.py is a Python program: a study file is TOML"):
        read_study(tmp_path / "study.py")


def test_none_is_said_as_on_the_command_line(tmp_path):
    file = tmp_path / "study.toml"
    settings = '[alp-gmm]\nwindow = ["None", 500]\nreturn_range = "None"\n'
    file.write_text('teachers = ["alp-gmm"]\nstudents = ["toy-grid"]\n' + settings)
    cells = cells_of(read_study(file))
    assert [cell.settings.fields["teacher.window"] for cell in cells] == [None, 500]
    assert {cell.settings.fields["teacher.return_range"] for cell in cells} == {None}
    assert [cell.name for cell in cells][0] == "toy-grid_alp-gmm_window=None"


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path):
    file = tmp_path / "study.toml"
    file.write_bytes(b"\xef\xbb\xbf" + START.encode())
    assert read_study(file).teachers == ("random",)
