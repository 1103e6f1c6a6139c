"""What defaults of teachers and challenges are with a simulated student, and that no other is."""

import pytest

from jaxcurriculum.cli import tables
from jaxcurriculum.cli.settings import parameters

CHANGES = {
    "oracle": {"step": (0.0, 0.5), "threshold": 0.75},
    "covar-gmm": {"return_range": None},
    "alp-gmm": {"return_range": None},
    "adr": {"grow_at": 0.75, "shrink_at": 0.2},
    "adr-tma": {"grow_at": 0.75, "shrink_at": 0.2},
    "mbtl": {"return_range": None, "rounds_each": 2000},
    "self-paced": {"offset_steps": 2000, "update_every_steps": 500},
    "currot": {"threshold": 0.75},
    "gradient": {"threshold": 0.75, "max_stage_steps": 2000},
    "plr": {"score": "return_change"},
    "robust-plr": {"score": "return_change"},
    "accel": {"replay.score": "return_change"},
    "repaired": {"replay.score": "return_change"},
    "mostly-unfeasible": {"axis": 1},
    "mostly-trivial": {"axis": 1},
    "forgetting": {"every": 7000},
}


def changes(part, student):
    suited = parameters(part.suit(part.config, tables.STUDENTS[student]))
    pairs = zip(parameters(part.config), suited, strict=True)
    return {after.name: after.value for before, after in pairs if after.value != before.value}


@pytest.mark.parametrize("table", [tables.TEACHERS, tables.CHALLENGES])
def test_with_abilities_these_defaults_are_others_and_no_more(table):
    expected = {name: CHANGES.get(name, {}) for name in table}
    assert {name: changes(part, "abilities") for name, part in table.items()} == expected


def test_what_depends_on_the_student():
    bandit, forgetting = tables.TEACHERS["ucb-advantage"], tables.CHALLENGES["forgetting"]
    assert changes(bandit, "toy-grid") == {"bandit.advantage_scale": 0.01}
    assert changes(bandit, "skill-graph") == {"bandit.advantage_scale": 0.05}
    assert changes(forgetting, "skill-graph") == {"every": 3500}
    assert changes(tables.TEACHERS["oracle"], "skill-graph")["step"] == (0.1,)
