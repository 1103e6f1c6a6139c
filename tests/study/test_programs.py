"""Which cells share a compiled program."""

import pytest

from jaxcurriculum.study import Study
from jaxcurriculum.study.cells import cells_of
from jaxcurriculum.study.programs import place

TOY = {"students": ("toy-grid",), "seeds": 1}
SHARED = {  # settings, and how many programs they are
    "a rate of a teacher": ({"exp3": {"bandit.exploration": [0.1, 0.2, 0.3]}}, 1),
    "a size of a teacher": ({"exp3": {"cells": [4, 5]}}, 2),
    "a number of the student": ({"toy-grid": {"unlearnable": [0.1, 0.2]}}, 1),
    "a number that leaves something out": ({"toy-grid": {"unlearnable": [0, 0.1, 0.2]}}, 2),
    "rates of both": (
        {"exp3": {"bandit.bias": [0.1, 0.2]}, "toy-grid": {"decay": [0.01, 0.02]}},
        1,
    ),
    "how it is tested": ({"loop": {"num_test_episodes": [1, 2]}}, 2),
}


@pytest.mark.parametrize("case", SHARED)
def test_cells_share_a_program_where_only_numbers_differ(case):
    settings, num_programs = SHARED[case]
    placed = place(cells_of(Study(teachers=("exp3",), settings=settings, **TOY)))
    assert len({one.program for one in placed}) == num_programs
    assert len({one.cell.name for one in placed}) == len(placed)


def test_presets_of_a_teacher_share_one_and_teachers_do_not():
    teachers = ("plr", "robust-plr", "random")
    plr, robust, random = place(cells_of(Study(teachers=teachers, **TOY)))
    assert "teacher.replay_prob" in plr.arguments and random.arguments == ()
    assert plr.program != random.program
    differ = {name for name in plr.config if plr.config[name] != robust.config[name]}
    assert (plr.program == robust.program) == (differ <= {"teacher", *plr.arguments})


def test_a_cell_keeps_its_program_whatever_else_there_is():
    def program(values):
        settings = {"exp3": {"bandit.exploration": values}}
        return place(cells_of(Study(teachers=("exp3",), settings=settings, **TOY)))[-1].program

    assert program([0.1]) == program([0.2, 0.1])
