"""Episodes are those of the environment, and files are what their names say."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
import pytest
from episodes import glide
from PIL import Image

from jaxcurriculum import envs
from jaxcurriculum.envs.walker.bodies import get_body
from jaxcurriculum.envs.walker.viewer import silhouette
from jaxcurriculum.records import level_key
from jaxcurriculum.report import film, page
from jaxcurriculum.runs import store
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.testing.compiling import quick_jit

TASKS = [(0.5, 3.0), (2.5, 1.0)]


class Recorded:
    """As much of a run as is read after its policy was loaded."""

    config = {"body": "default", "teacher": "random", "student": "ppo"}

    def __init__(self, path):
        self.path = self.figures = path

    def evaluations(self):
        """One evaluation, in which the seed mastered the first of two tasks."""
        heights, spacings = zip(*TASKS)
        tasks = {"test_task": [0, 1], "stump_height": heights, "obstacle_spacing": spacings}
        results = {"solved": [True, False], "return": [300.0, 0.0]}
        return pl.DataFrame({"seed": [0, 0], "evaluation": [0, 0], **tasks, **results})


def stumble(key, obs):
    """Lean on both legs and fall, after about a second."""
    return jnp.array([1.0, 0.0, -1.0, 0.0]) + 0.1 * obs[:4]


@pytest.fixture
def actor(tmp_path):
    env = envs.stump_tracks()
    return film.Actor(Recorded(tmp_path), env, env.task_space, stumble, seed=0)


@pytest.fixture
def run(actor, monkeypatch):
    """A run whose policy glides for 100 frames, whatever is asked for."""
    for module in (film, page):
        monkeypatch.setattr(module, "load", lambda *_: actor)
        monkeypatch.setattr(
            module, "play", lambda actor, tasks, track_seeds: [glide(100) for _ in tasks]
        )
    return actor.run


def by_hand(env, task, track_seed):
    """The same episode step by step: its states after each step, and its rewards."""
    level = env.generate(level_key(jnp.uint32(track_seed)), jnp.array(task))
    state, timestep = env.reset(jax.random.key(0), level)
    step, states, rewards = quick_jit(env.step), [], []
    while not timestep.terminated:
        assert len(rewards) < 500, "it should fall"
        state, timestep = step(jax.random.key(0), level, state, stumble(None, timestep.obs))
        states.append(state)
        rewards.append(float(timestep.reward))
    return level, states, np.array(rewards), timestep


def test_episodes_played_together_are_those_of_the_environment(actor):
    for episode, task, track_seed in zip(film.play(actor, TASKS, [3, 4]), TASKS, [3, 4]):
        level, states, rewards, timestep = by_hand(actor.environment, task, track_seed)
        assert len(episode.seconds) == (len(rewards) + 1) // 2 and episode.seconds[
            -1
        ] == pytest.approx(len(rewards) / 50)
        assert (
            episode.returns[-1] == pytest.approx(rewards.sum(), abs=0.1)
            and episode.returns[-1] < -90
            and not episode.solved
        )
        np.testing.assert_allclose(episode.lidar[-1], timestep.obs[-10:], atol=1e-3)
        polygons, origin = silhouette(get_body("default"), level, states[-3])
        np.testing.assert_allclose(
            episode.origin[-2], origin, atol=1e-3
        )  # every second step is shown
        for shown, polygon in zip(episode.walker, polygons):
            np.testing.assert_allclose(shown[-2], polygon, atol=1e-3)
        assert episode.task["stump height"] == f"{task[0]:.2f} steps" and episode.task[
            "track"
        ] == str(track_seed)


@pytest.mark.parametrize("name", ["walker.gif", "walker.PNG", "walker.mp4"])
def test_the_suffix_chooses_the_format(name, run, tmp_path):
    assert film.animate(run, (1.0, 3.0), out=tmp_path / name) == tmp_path / name
    assert {b"GIF8": "walker.gif", b"\x89PNG": "walker.PNG"}.get(
        (tmp_path / name).read_bytes()[:4], "walker.mp4"
    ) == name


def test_a_still_shows_its_moment(run, tmp_path):
    drawn = []
    for at in (None, 2.0, 4.0):
        path = film.animate(run, (1.0, 3.0), out=tmp_path / "walker.png", at=at)
        drawn.append(np.asarray(Image.open(path)))
    assert (drawn[0] == drawn[1]).all() and (drawn[1] != drawn[2]).any()  # by default half-way


def test_a_page_has_nine_episodes(run):
    path = page.show_page(run, (1.0, 3.0))
    assert path == run.path / "walker_1_3.html"
    assert (
        path.read_text().count('"solved":true') == 9
        and f"{run.path.name}: random teaching ppo, seed 0" in path.read_text()
    )


@pytest.mark.parametrize("show, kind", [(film.animate, "gif"), (page.show_page, "html")])
def test_an_episode_that_was_asked_for_leaves_the_run_its_own(show, kind, run):
    own = show(run)
    asked = [
        show(run, (1.0, 3.0)),
        show(run, (1.0, 2.5)),
        show(run, (1.0, 3.0), track_seed=2),
        show(run, seed=0),
    ]
    assert own.name == f"walker.{kind}" and asked[0].name == f"walker_1_3.{kind}"
    assert len({own, *asked}) == 5


@pytest.mark.parametrize(
    "show, arguments, message",
    [
        (
            film.animate,
            {"out": "walker.avi"},
            "must be a .gif, .mp4 or .png file in a folder that exists, got",
        ),
        (film.animate, {"out": "nowhere/walker.gif"}, "in a folder that exists"),
        (
            film.animate,
            {"out": "walker.gif", "at": 1.0},
            "--at names the moment that a .png shows, got --at 1 for",
        ),
        (
            film.animate,
            {"out": "walker.png", "at": 4.5},
            "--at must lie between 0 and 4 s, where this episode ends, got 4.5",
        ),
        (page.show_page, {"out": "walker.gif"}, "must be a .html file"),
    ],
)
def test_what_cannot_be_is_named(show, arguments, message, run, tmp_path):
    with pytest.raises(RunError, match=message):
        show(run, (1.0, 3.0), **arguments | {"out": tmp_path / arguments["out"]})
    assert list(tmp_path.iterdir()) == []


def test_a_film_without_its_package_says_what_to_install(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(RunError, match=r"pip install 'jaxcurriculum\[report\]'"):
        film.animate(run, (1.0, 3.0), out=tmp_path / "walker.mp4")


def test_there_is_no_track_beyond_the_last(actor):
    with pytest.raises(
        RunError, match="--track-seed must lie between 0 and 4294967295, got 4294967296"
    ):
        film.play(actor, TASKS, [2**32 - 1, 2**32])


def test_a_run_that_does_not_exist_is_named_before_anything_is_made(tmp_path):
    with pytest.raises(RunError, match="holds no run"):
        film.load(store.Run(tmp_path), None, ())
    assert list(tmp_path.iterdir()) == []
