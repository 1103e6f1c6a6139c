"""Episodes are those of the environment, and files are what their names say."""

import dataclasses
import pathlib
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
import pytest
from episodes import HEXAGON, GlideViewer, gliding
from imageio_ffmpeg import count_frames_and_secs
from PIL import Image, ImageColor

from jaxcurriculum import envs
from jaxcurriculum.envs.walker.bodies import get_body
from jaxcurriculum.envs.walker.drawing import COLOURS, HEIGHT, WIDTH, silhouette
from jaxcurriculum.records import level_key
from jaxcurriculum.report import film, page, writing
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.testing.compiling import quick_jit

TASKS = [(0.5, 3.0), (2.5, 1.0)]
VIEWER = GlideViewer()


class Recorded:
    """As much of a run as is read after its policy was loaded."""

    config = {"teacher": "random", "student": "ppo"}

    def __init__(self, path):
        self.path = self.figures = path

    def evaluations(self):
        """One evaluation, in which the seed mastered the first of two tasks."""
        heights, spacings = zip(*TASKS)
        tasks = {"test_task": [0, 1], "stump_height": heights, "obstacle_spacing": spacings}
        results = {"solved": [True, False], "return": [300.0, 0.0]}
        return pl.DataFrame({"seed": [0, 0], "evaluation": [0, 0], **tasks, **results})


def stumble(obs):
    """Lean on both legs and fall, after about a second."""
    lean = jnp.array([1.0, 0.0, -1.0, 0.0])
    return jnp.broadcast_to(lean, (*obs.shape[:-1], 4)) + 0.1 * obs[..., :4]


def act(key, state, memory, obs, first, deterministic):
    return memory, stumble(obs)


@pytest.fixture
def actor(tmp_path):
    env = envs.stump_tracks()
    student = types.SimpleNamespace(act=act, memory=lambda num: (), task_space=env.task_space)
    tasks = jnp.array(TASKS)
    return film.Actor(Recorded(tmp_path), env, env.viewer, student, (), tasks, 0, True)


@pytest.fixture
def run(actor, monkeypatch):
    """A run whose policy glides for 100 frames, whatever is asked for."""
    actor = dataclasses.replace(actor, viewer=VIEWER)
    for module in (film, page):
        monkeypatch.setattr(module, "load", lambda *_: actor)
        monkeypatch.setattr(
            module, "play", lambda actor, tasks, level_seeds: [gliding(100) for _ in level_seeds]
        )
    return actor.run


def by_hand(env, task, track_seed):
    """The same episode step by step: its states after each step, and its rewards."""
    level = env.generate(level_key(jnp.uint32(track_seed)), jnp.array(task))
    state, timestep = env.reset(jax.random.key(0), level)
    step, states, rewards = quick_jit(env.step), [], []
    while not timestep.terminated:
        assert len(rewards) < 500, "it should fall"
        state, timestep = step(jax.random.key(0), level, state, stumble(timestep.obs))
        states.append(state)
        rewards.append(float(timestep.reward))
    return level, states, np.array(rewards), timestep


@pytest.mark.slow
def test_episodes_played_together_are_those_of_the_environment(actor):
    played = film.play(actor, jnp.array(TASKS), [3, 4])
    for episode, task, track_seed in zip(played, TASKS, [3, 4]):
        level, states, rewards, timestep = by_hand(actor.environment, task, track_seed)
        assert len(episode.seconds) == 1 + (len(rewards) + 1) // 2
        assert episode.seconds[-1] == pytest.approx(len(rewards) / 50)
        assert episode.returns[-1] == pytest.approx(rewards.sum(), abs=0.1)
        assert episode.returns[-1] < -90 and not episode.solved
        walker, origins, lidar = episode.looks
        assert episode.seconds[0] == episode.returns[0] == 0
        np.testing.assert_allclose(lidar[-1], timestep.obs[-10:], atol=1e-3)
        polygons, origin = silhouette(get_body("default"), level, states[-3])
        np.testing.assert_allclose(origins[-2], origin, atol=1e-3)  # every second step is shown
        for shown, polygon in zip(walker, polygons):
            np.testing.assert_allclose(shown[-2], polygon, atol=1e-3)
        assert episode.task["stump height"] == f"{task[0]:.2f} steps"
        assert episode.task["level"] == str(track_seed)
        assert actor.viewer.picture(episode, 3).size == (WIDTH, HEIGHT)


@pytest.mark.parametrize("name", ["walker.gif", "walker.PNG", "walker.mp4"])
def test_the_suffix_chooses_the_format(name, run, tmp_path):
    assert film.animate(run, None, (1.0, 3.0), out=tmp_path / name) == tmp_path / name
    assert {b"GIF8": "walker.gif", b"\x89PNG": "walker.PNG"}.get(
        (tmp_path / name).read_bytes()[:4], "walker.mp4"
    ) == name


def test_a_still_shows_its_moment(run, tmp_path):
    drawn = []
    for at in (None, 2.0, 4.0):
        path = film.animate(run, None, (1.0, 3.0), out=tmp_path / "walker.png", at=at)
        drawn.append(np.asarray(Image.open(path)))
    assert (drawn[0] == drawn[1]).all() and (drawn[1] != drawn[2]).any()  # by default half-way


def test_a_page_has_nine_episodes(run):
    path = page.show_page(run, None, (1.0, 3.0))
    assert path == run.path / "film_1_3.html"
    assert (
        path.read_text().count("solved:True") == 9
        and f"{run.path.name}: random teaching ppo, seed 0" in path.read_text()
    )


@pytest.mark.parametrize("show, kind", [(film.animate, "gif"), (page.show_page, "html")])
def test_an_episode_that_was_asked_for_leaves_the_run_its_own(show, kind, run):
    own = show(run, None)
    asked = [
        show(run, None, (1.0, 3.0)),
        show(run, None, (1.0, 2.5)),
        show(run, None, (1.0, 3.0), track_seed=2),
        show(run, None, seed=0),
    ]
    assert own.name == f"film.{kind}" and asked[0].name == f"film_1_3.{kind}"
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
            "`at` names the moment that a .png shows, got 1 for",
        ),
        (
            film.animate,
            {"out": "walker.png", "at": 4.5},
            "`at` must lie between 0 and 4 s, where this episode ends, got 4.5",
        ),
        (page.show_page, {"out": "walker.gif"}, "must be a .html file"),
    ],
)
def test_what_cannot_be_is_named(show, arguments, message, run, tmp_path):
    with pytest.raises(RunError, match=message):
        show(run, None, (1.0, 3.0), **arguments | {"out": tmp_path / arguments["out"]})
    assert list(tmp_path.iterdir()) == []


def test_a_film_without_its_package_says_what_to_install(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(RunError, match=r"pip install 'jaxcurriculum\[report\]'"):
        film.animate(run, None, (1.0, 3.0), out=tmp_path / "walker.mp4")


def test_there_is_no_track_beyond_the_last(actor):
    with pytest.raises(
        RunError, match="`track_seed` must lie between 0 and 4294967295, got 4294967296"
    ):
        film.play(actor, jnp.array(TASKS), [2**32 - 1, 2**32])


def near(picture, colour, tolerance=40):
    """Which pixels [height, width] have a colour of the walker's."""
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    return np.abs(pixels - ImageColor.getrgb(COLOURS[colour])).sum(-1) < tolerance


def test_a_gif_has_a_frame_a_state_that_follows_the_walker(tmp_path):
    played = gliding(5, obstacles=[HEXAGON * 0.3 + [8.0, 3.2]], speed=25.0)
    writing.write_gif(tmp_path / "walker.gif", VIEWER, played)
    picture = Image.open(tmp_path / "walker.gif")
    assert picture.n_frames == 5 and picture.size == (WIDTH, HEIGHT)
    assert picture.info["duration"] == 40
    hulls, obstacles = [], []
    for frame in range(5):
        picture.seek(frame)
        hulls.append(np.nonzero(near(picture, "hull"))[1].mean())
        obstacles.append(np.nonzero(near(picture, "obstacle"))[1].mean())
    assert np.ptp(hulls) < 2  # the camera follows the hull
    # And the track passes by, 1 m a frame.
    np.testing.assert_allclose(np.diff(obstacles), -HEIGHT / played.level.height, atol=3)


def test_a_long_gif_is_thinned_and_keeps_its_last_frame(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "MOST_FRAMES", 4)
    drawn, draw = [], VIEWER.picture
    counting = GlideViewer()
    counting.picture = lambda film, frame: drawn.append(frame) or draw(film, frame)
    writing.write_gif(tmp_path / "walker.gif", counting, gliding(10))
    assert Image.open(tmp_path / "walker.gif").n_frames == 4
    assert drawn[-4:] == [0, 3, 6, 9]  # after those that gave the palette


def test_a_film_has_every_frame(tmp_path):
    writing.write_mp4(tmp_path / "walker.mp4", VIEWER, gliding(10))
    assert count_frames_and_secs(tmp_path / "walker.mp4") == (10, pytest.approx(0.4))


def test_a_colon_in_the_name_of_a_film_is_no_protocol(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = pathlib.Path("seed:3.mp4")
    writing.write_mp4(path, VIEWER, gliding(2))
    assert path.stat().st_size > 0


def test_a_film_that_cannot_be_written_says_where(tmp_path):
    with pytest.raises(IsADirectoryError, match=tmp_path.name):
        writing.write_mp4(tmp_path, VIEWER, gliding(2))


def test_the_tasks_of_a_page_are_spread_around_the_first():
    grid = np.array([(x / 4, y / 4) for x in range(5) for y in range(5)])
    chosen = page.farthest(grid, 7)
    points = grid[chosen]
    assert len(set(chosen.tolist())) == 9 and 7 in chosen and sorted(chosen) == chosen.tolist()
    assert {0, 4, 20, 24} <= set(chosen.tolist()), "the corners"
    assert (np.linalg.norm(points[:, None] - points, axis=-1) + np.eye(9)).min() >= 0.25
    assert page.farthest(grid[:4], 0).tolist() == [0, 1, 2, 3]


def test_a_viewer_without_a_page_of_its_own_gets_animations():
    viewer = types.SimpleNamespace(picture=VIEWER.picture, frames_per_second=25.0)
    text = page.page("two <walkers>", viewer, [gliding(3), gliding(3, solved=False)])
    assert text.count("data:image/gif;base64,") == 2 and "two &lt;walkers&gt;" in text
    assert "1.50 steps" in text and "not solved" in text
