"""Teachers of mazes that choose points of an autoencoder's box."""

import jax
import pytest

from jaxcurriculum.cli.build import build
from jaxcurriculum.cli.settings import Settings
from jaxcurriculum.envs.maze.latent import CellVaeConfig, cell_vae, save_vae
from jaxcurriculum.runs.errors import RunError

MAZE = {"env": "maze", "student": "ppo-gru"}


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    """A file of an autoencoder of mazes with five cells a side."""
    vae = cell_vae(CellVaeConfig(size=5, latent_dims=3, hidden=(4,)))
    path = tmp_path_factory.mktemp("decoders") / "five.npz"
    save_vae(path, vae, vae.init(jax.random.key(0)))
    return str(path)


@pytest.mark.parametrize("teacher", ["clutr", "alp-gmm", "goal-gan", "self-paced"])
def test_teachers_of_a_box_teach_mazes(teacher, decoder, untraced):
    fields = {"env.size": 5, "env.num_walls": 5, "env.time_limit": 40, "env.decoder": decoder}
    built = build(Settings(**MAZE, teacher=teacher, fields=fields))
    made, space = built.loop.teacher, built.loop.student.task_space
    assert made.name.endswith("in latent space")
    assert made.num_learners == built.loop.student.num_learners == (2 if teacher == "clutr" else 1)
    key, num = jax.random.key(0), built.loop.student.num_proposals
    _, proposals = jax.eval_shape(lambda: made.propose(key, made.init(key), num))
    assert proposals.tasks.walls.shape == (num, 5, 5) and space.time_limit == 40
    assert build(Settings.recorded(built.config)).config == built.config


@pytest.mark.parametrize("teacher", ["random", "plr"])
def test_teachers_of_levels_choose_mazes_as_they_are(teacher, untraced):
    built = build(Settings(**MAZE, teacher=teacher, fields={"env.decoder": "gone.npz"}))
    assert "latent" not in built.loop.teacher.name


def test_a_decoder_comes_with_the_package(untraced):
    made = build(Settings(**MAZE, teacher="adr")).loop.teacher
    state = jax.eval_shape(made.init, jax.random.key(0))
    assert state.points.shape[1:] == (64,)


@pytest.mark.parametrize(
    ("teacher", "fields", "sentence"),
    [
        ("alp-gmm", {"env.decoder": "gone.npz"}, "--env.decoder gone.npz: .*No such file"),
        ("alp-gmm", {"env.decoder": "FIVE"}, "Mazes.size must be .* is for 5 by 5 cells, got 13"),
        ("clutr", {"env.size": 9}, "--env.decoder cells-13: Mazes.size must .* 13 by 13 .* got 9"),
        ("clutr", {"env.walls": "level", "env.level": ">G"}, "must not be level here: a decoder"),
        ("paired", {"env.walls": "level", "env.level": ">G"}, "must not be level here: a builder"),
        ("exp3", {}, "Arms.shape must give between 1 and 100,000 arms, got 64 axes"),
    ],
)
def test_refuses(teacher, fields, sentence, decoder, untraced):
    fields = {name: decoder if value == "FIVE" else value for name, value in fields.items()}
    with pytest.raises(RunError, match=sentence):
        build(Settings(**MAZE, teacher=teacher, fields=fields))
