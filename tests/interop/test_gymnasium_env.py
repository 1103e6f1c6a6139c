"""One world as a `gymnasium.Env`: gymnasium's own checker, tasks in and out, pictures."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from interop.gymnasium_worlds import Recorder, dictionary_world

from jaxcurriculum import envs, teachers
from jaxcurriculum.interop import HostTeacher, to_gymnasium
from jaxcurriculum.records import level_key


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("make", [envs.cart_pole, envs.maze, dictionary_world])
def test_gymnasiums_checker_passes(make):
    env = make()
    check_env(to_gymnasium(env, render_mode="rgb_array" if env.viewer else None))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_gymnasiums_checker_passes_on_a_walker():
    check_env(to_gymnasium(envs.stump_tracks(), render_mode="rgb_array"))


def test_an_episode_is_that_of_the_environment():
    """Task, level, start and steps are those of the seeds that the generator gives."""
    env = envs.cart_pole()
    door = to_gymnasium(env)
    obs, info = door.reset(seed=7)
    draws = np.random.default_rng(np.random.SeedSequence(7)).integers(2**32, size=3)
    task_seed, level_seed, episode_seed = draws.astype(np.uint32)
    task = env.task_space.sample(jax.random.key(task_seed))
    np.testing.assert_allclose(info["task"], task, rtol=1e-6)
    level = env.generate(level_key(level_seed), task)
    key_reset, key_steps = jax.random.split(jax.random.key(episode_seed))
    state, timestep = env.reset(key_reset, level)
    np.testing.assert_allclose(obs, timestep.obs, rtol=1e-6)
    for count in range(5):
        state, timestep = env.step(
            jax.random.fold_in(key_steps, count), level, state, jnp.int32(count % 2)
        )
        obs, reward, terminated, truncated, _ = door.step(count % 2)
        np.testing.assert_allclose(obs, timestep.obs, rtol=1e-5, atol=1e-6)
        assert (reward, terminated, truncated) == (1.0, False, False)
        assert type(reward) is float and type(terminated) is bool


def test_the_end_says_whether_the_task_was_solved():
    door = to_gymnasium(dictionary_world(length=3))
    for moves, solved in (([1, 1, 1], True), ([1, 0, 1, 0, 1], False)):
        door.reset(options={"task": {"goal": [1.0], "kind": 0}})
        steps = [door.step({"move": move, "push": np.zeros(1)}) for move in moves]
        *_, terminated, truncated, info = steps[-1]
        assert (terminated, truncated) == (solved, not solved), "ends at the goal, or at step 5"
        assert info["solved"] is solved and info["task"]["goal"].tolist() == [1.0]
        assert all(step[4] == {} for step in steps[:-1])
        with pytest.raises(ResetNeeded):
            door.step({"move": 0, "push": np.zeros(1)})


def test_tasks_by_option_by_set_task_and_back():
    door = to_gymnasium(envs.cart_pole({"length": (0.1, 3.0)}))
    door.set_task([0.5])
    assert door.reset(seed=0)[1]["task"] == np.float32(0.5)
    assert door.reset(options={"task": np.array([1.5])})[1]["task"] == 1.5
    assert door.reset()[1]["task"] == 0.5, "an option counts for one episode"
    door.set_task(None)
    tasks = [float(door.reset()[1]["task"][0]) for _ in range(8)]
    assert len(set(tasks)) == 8 and 0.5 not in tasks


def test_a_maze_goes_out_and_comes_back():
    door = to_gymnasium(envs.maze())
    _, info = door.reset(seed=0)
    for task in (info["task"], envs.Maze(**info["task"])):
        _, again = door.reset(seed=1, options={"task": task})
        jax.tree.map(np.testing.assert_array_equal, info["task"], again["task"])


@pytest.mark.parametrize(
    "task, message",
    [
        ([9.0], r"options\['task'\]\[0\] = \[9.0\] lies outside"),
        ([np.nan], "lies outside"),
        ([1.0, 2.0], r"each task must be float32\[1\], got float32\[2\]"),
        ({"length": 1.0}, r"each task must be float32\[1\]"),
        ("long", "must"),
    ],
)
def test_bad_tasks_are_refused(task, message):
    door = to_gymnasium(envs.cart_pole({"length": (0.1, 3.0)}))
    with pytest.raises(ValueError, match=message):
        door.reset(options={"task": task})


@pytest.mark.parametrize(
    "action, message",
    [
        ({"move": 2, "push": [0.0]}, r"action\['move'\] must lie between 0 and 1, got 2"),
        ({"move": 0.5, "push": [0.0]}, r"action\['move'\] must be whole numbers of shape \(\)"),
        ({"move": 0, "push": [np.nan]}, r"action\['push'\] must be finite"),
        ({"move": 0, "push": [0.0, 1.0]}, r"action\['push'\] must be numbers of shape \(1,\)"),
        ({"move": 0}, "action must be a dictionary of"),
        (0, "action must be a dictionary of"),
    ],
)
def test_bad_actions_are_refused(action, message):
    door = to_gymnasium(dictionary_world())
    door.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        door.step(action)


def test_what_has_no_counterpart_is_refused():
    with pytest.raises(ValueError, match="render_mode of cart-pole must be of"):
        to_gymnasium(envs.cart_pole(), render_mode="human")
    with pytest.raises(ValueError, match="render_mode of dictionary"):
        to_gymnasium(dictionary_world(), render_mode="rgb_array")
    with pytest.raises(ResetNeeded):
        to_gymnasium(envs.cart_pole()).step(0)


def test_a_teacher_of_another_kind_or_space_is_refused():
    env = envs.cart_pole({"length": (0.1, 3.0)})
    with pytest.raises(TypeError, match="teacher must be a HostTeacher, or have sample"):
        to_gymnasium(env, teachers.random(env.task_space))
    stranger = HostTeacher(teachers.random(envs.cart_pole().task_space))
    with pytest.raises(ValueError, match="the teacher's tasks must be of the environment's task"):
        to_gymnasium(env, stranger).reset(seed=0)


def test_a_closed_world_is_not_stepped():
    door = to_gymnasium(dictionary_world())
    door.reset(seed=0)
    for _ in range(2):
        door.close()
    with pytest.raises(ResetNeeded):
        door.step({"move": 0, "push": np.zeros(1)})


def test_a_teacher_is_asked_and_told():
    teacher = Recorder()
    door = to_gymnasium(dictionary_world(length=3), teacher)
    obs, _ = door.reset(seed=0)
    ticket = teacher.tickets[0]
    level = dictionary_world().generate(level_key(ticket.seed), ticket.task)
    np.testing.assert_allclose(obs["level"], [1.0, level["seed_seen"]], rtol=1e-6)
    for _ in range(3):
        door.step({"move": 1, "push": np.zeros(1)})
    door.reset()  # the second ticket
    door.step({"move": 1, "push": np.zeros(1)})
    door.reset(options={"task": {"goal": [-1.0], "kind": 1}})  # broken off; no ticket for this one
    assert teacher.told == [("update", 0, 1.0, 3, True), ("drop", 1)]
    assert teacher.asked == [1, 1]


def test_pictures_are_those_of_the_viewer():
    door = to_gymnasium(envs.maze(), render_mode="rgb_array")
    door.reset(seed=0)
    start = door.render()
    for action in (0, 2, 2):
        door.step(action)
    now = door.render()
    assert start.dtype == np.uint8 and start.shape == now.shape and start.shape[2] == 3
    assert (start != now).any()
