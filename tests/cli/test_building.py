"""Teachers that build: which students they are given, and what they build in."""

import dataclasses

import jax
import pytest

from jaxcurriculum import Discrete, envs, teachers
from jaxcurriculum.cli.build import build, set_up
from jaxcurriculum.cli.main import parse
from jaxcurriculum.cli.settings import Settings
from jaxcurriculum.cli.tables import ENVIRONMENTS, TEACHERS
from jaxcurriculum.runs.errors import RunError


def test_two_students_play_every_level_to_its_end_and_both_count(untraced):
    experiment = build(Settings(env="cart-pole", teacher="paired"))
    student, config = experiment.loop.student, experiment.config
    assert (student.num_learners, student.share, student.num_proposals) == (2, True, 32)
    assert config["student.rollout.assign"] == "slot" and not config["student.rollout.carry"]
    assert config["student.rollout.num_steps"] >= student.environment.max_episode_steps == 500
    assert student.steps_per_round == 2 * 32 * 512
    assert build(Settings.recorded(config)).config == config


def test_mazes_are_played_to_their_own_time_limit(untraced):
    asked = {"env": "maze", "student": "ppo-gru", "teacher": "paired"}
    student = build(Settings(**asked)).loop.student  # 250 steps; those of tests have more
    assert student.steps_per_round == 2 * 32 * 256
    slow = build(Settings(**asked, fields={"env.time_limit": 2312}))
    assert slow.loop.student.steps_per_round == 2 * 32 * 4096
    assert slow.config["student.minibatch_size"] == 8 * 4096  # of 8 environments, as before


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"num_steps": 128}, "RolloutConfig.num_steps must be at least 250, .* got 128. Give it"),
        ({"assign": "pool"}, "'2 x ppo' does not begin every level in its round"),
        ({"carry": True}, "'2 x ppo' does not begin every level in its round"),
    ],
)
def test_rounds_in_which_no_regret_would_be_known_are_refused(fields, words):
    asked = {f"student.rollout.{name}": value for name, value in fields.items()}
    asked |= {"student.minibatch_size": 1024}
    with pytest.raises(RunError, match=words):
        build(Settings(env="maze", student="ppo-gru", teacher="paired", fields=asked))


def test_an_error_of_the_student_names_the_students_flag(untraced):
    """Though the builder of the teacher has the same fields of PPO."""
    asked = {"student.minibatch_size": 1000}
    with pytest.raises(RunError, match="got 1000. Give it with --student.minibatch-size"):
        build(Settings(env="maze", student="ppo-gru", teacher="paired", fields=asked))
    asked = {"teacher.builder.minibatch_size": 1000}
    with pytest.raises(RunError, match="Give it with --teacher.builder.minibatch-size"):
        build(Settings(env="maze", student="ppo-gru", teacher="paired", fields=asked))


@pytest.mark.parametrize("flag", ["student.learning-rate", "teacher.builder.learning-rate"])
def test_student_and_builder_each_have_a_learning_rate_of_their_own(flag, untraced):
    """minimax's builder learned at the student's rate whenever that was given."""

    def rates(*flags):
        asked = ["train", "--env", "cart-pole", "--student", "ppo", "--teacher", "paired", *flags]
        made = set_up(parse(asked))
        built = made.loop.teacher.config.builder.learning_rate
        named = {
            "student.learning-rate": made.configs["student"].learning_rate,
            "teacher.builder.learning-rate": made.configs["teacher"].builder.learning_rate,
        }
        assert built == named["teacher.builder.learning-rate"]
        return named

    assert rates(f"--{flag}", "0.03") == rates() | {flag: 0.03}


def test_repaired_gives_each_student_levels_of_its_own(untraced):
    student = build(Settings(student="toy-grid", teacher="repaired")).loop.student
    assert (student.num_learners, student.share, student.num_proposals) == (2, False, 64)


def test_a_minimax_adversary_has_one_student(untraced):
    loop = build(Settings(student="toy-grid", teacher="minimax-adversary")).loop
    assert loop.student.num_learners == loop.teacher.num_learners == 1


def test_what_is_asked_for_comes_before_what_suits(untraced):
    asked = {"student.episodes_per_round": 50, "teacher.num_students": 3}
    student = build(Settings(student="toy-grid", teacher="paired", fields=asked)).loop.student
    assert (student.num_proposals, student.num_learners) == (50, 3)


def test_mazes_are_built_in_their_own_editor():
    space = envs.Mazes(num_walls=4)
    config = ENVIRONMENTS["maze"].presets["paired"]
    assert isinstance(config.editor, envs.MazeEditorConfig)
    assert TEACHERS["paired"].make(space, config).config == config


def test_other_spaces_have_no_editor():
    with pytest.raises(ValueError, match="there is no editor of tasks of a Discrete"):
        TEACHERS["paired"].make(Discrete(3), TEACHERS["paired"].config)


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("dcd", (0.995, 0.95, 0.0, True)),
        ("minimax", (0.995, 0.98, 0.05, True)),
        ("jaxued", (0.995, 0.98, 1e-3, False)),
    ],
)
def test_presets_are_as_published(name, published):
    config = getattr(teachers.PairedConfig, name)()
    builder = config.builder
    numbers = (builder.discount, builder.gae_lambda, builder.entropy_coefficient, config.clamp)
    assert numbers == published
    common = (builder.memory, builder.memory_size, builder.learning_rate, builder.num_epochs)
    assert common == ("lstm", 256, 1e-4, 5) and config.num_levels == builder.minibatch_size == 32


@pytest.mark.parametrize(
    ("name", "num_moves", "noise_size"),
    [("maze", 27, 50), ("maze-jaxued", 50, 16), ("maze-minimax", 62, 50), ("maze-dcd", 62, 50)],
)
def test_builders_of_mazes_have_as_many_moves_as_published(name, num_moves, noise_size):
    world = ENVIRONMENTS[name]
    for teacher in ("paired", "flexible-paired", "minimax-adversary", "repaired"):
        config = world.presets[teacher].editor
        mazes = world.make(world.config).task_space
        assert envs.maze_editor(mazes, config).num_moves == num_moves
        assert config.noise_size == noise_size
    assert config.count == ("first" if name == "maze-dcd" else "fixed")


def test_mazes_of_your_own_have_the_editor_of_mazes():
    make = TEACHERS["paired"].make
    asked = dataclasses.replace(
        TEACHERS["paired"].config, editor=teachers.BoxEditorConfig(noise_size=3)
    )
    teacher = make(envs.Mazes(num_walls=4), asked)
    key = jax.random.key(0)
    _, proposals = jax.eval_shape(lambda: teacher.propose(key, teacher.init(key), 32))
    assert proposals.tasks.walls.shape == (32, 13, 13)
