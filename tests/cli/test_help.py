"""Help leads on from a screen to the next; nothing that can be chosen or set is left out."""

import dataclasses

import pytest

from jaxcurriculum.cli import main, tables
from jaxcurriculum.cli.commands import Train
from jaxcurriculum.cli.settings import parameters

LINES = 40  # of a screen
COMMANDS = ("train", "study", "plot", "compare", "report", "render", "export")
KINDS = {
    "environments": tables.ENVIRONMENTS,
    "teachers": tables.TEACHERS,
    "students": tables.STUDENTS,
    "challenges": tables.CHALLENGES,
}


@pytest.fixture
def shown(capsys, monkeypatch):
    """What a command prints on a terminal of 100 columns."""
    monkeypatch.setenv("COLUMNS", "100")

    def show(*arguments):
        try:
            assert main.run([*arguments]) == 0
        except SystemExit as exit:
            assert exit.code == 0
        return capsys.readouterr().out

    return show


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("list",),
        *(("list", kind) for kind in KINDS),
        *((command, "--help") for command in COMMANDS),
    ],
    ids=" ".join,
)
def test_every_first_screen_is_one(shown, arguments):
    lines = shown(*arguments).splitlines()
    assert 3 < len(lines) <= LINES and max(map(len, lines)) <= 100


@pytest.mark.parametrize("command", COMMANDS)
def test_no_help_names_a_default_that_is_nothing(shown, command):
    assert "(default: )" not in " ".join(shown(command, "--help").replace("│", " ").split())


def test_help_of_train_names_every_common_flag_and_no_other(shown):
    text = shown("train", "--help")
    own = [each.name for each in dataclasses.fields(Train) if each.name != "fields"]
    assert all(f"--{name.replace('_', '-')}" in text for name in own)
    assert "--teacher." not in text and "--student." not in text
    assert "a seed's environment steps (or simulated episodes), rounded up" in text


@pytest.mark.parametrize(
    "section, name", [("teacher", "alp-gmm"), ("student", "ppo"), ("env", "cart-pole")]
)
def test_help_of_a_part_that_is_named_has_all_its_flags(shown, section, name):
    text = shown("train", f"--{section}", name, "--help")
    table = KINDS[{"env": "environments"}.get(section, f"{section}s")]
    for parameter in parameters(table[name].config):
        assert f"--{section}.{parameter.name.replace('_', '-')}" in text
    assert not any(f"--{other}." in text for other in {"teacher", "student", "env"} - {section})


def test_list_names_every_part_and_its_kind_says_what_it_does(shown):
    everything = shown("list").replace(",", " ").split()
    for kind, table in KINDS.items():
        assert kind in everything and set(table) <= set(everything)
        described = " ".join(shown("list", kind).split())
        assert all(f"{name} {part.description}" in described for name, part in table.items())


def test_list_has_all_flags_of_every_part(shown):
    parts = {name: part for table in KINDS.values() for name, part in table.items()}
    text = shown("list", *parts)
    for part in parts.values():
        for parameter in parameters(part.config):
            assert f".{parameter.name.replace('_', '-')} " in text
    assert "only with maze, maze-jaxued, maze-minimax, maze-dcd" in " ".join(text.split())


def test_list_names_what_can_be_a_task_in_a_world_of_another_package(shown):
    robots = " ".join(shown("list", "brax").split())
    assert "hopper, spring, positional gravity, friction, gear" in robots
    assert "reacher, spring gear" in robots
    others = " ".join(shown("list", "gymnax").split())
    assert "Pendulum-v1 g, m, l, max_torque" in others and "names all its numbers" in others


def test_every_command_that_a_list_leads_to_runs(shown):
    assert "--loop.num-test-episodes" in shown("list", "loop")
    assert "--teacher.exploration" in shown("list", "alp-gmm")
