"""Many worlds as a `gymnasium.vector.VectorEnv`, beside gymnasium's own loop over single ones."""

import dataclasses

import jax
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from interop.gymnasium_worlds import Recorder, dictionary_world

from jaxcurriculum import envs, teachers
from jaxcurriculum.interop import to_gymnasium, to_vector_env

NUM = 5


def assert_same(one, other, path=""):
    """Equal structures, dtypes and numbers."""
    assert type(one) is type(other), path
    if isinstance(one, dict):
        assert one.keys() == other.keys(), path
        for name in one:
            assert_same(one[name], other[name], f"{path}/{name}")
    elif isinstance(one, tuple) or getattr(one, "dtype", None) is np.dtype(object):
        assert len(one) == len(other), path
        for number, pair in enumerate(zip(one, other)):
            assert_same(*pair, f"{path}/{number}")
    elif one is not None:
        assert one.dtype == other.dtype, path
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6, err_msg=path)


def pair(env, mode):
    """gymnasium's loop over single worlds, and all of them at once."""
    loop = SyncVectorEnv([lambda: to_gymnasium(env)] * NUM, autoreset_mode=mode)
    return loop, to_vector_env(env, NUM, autoreset_mode=mode)


def batch_last():
    """A world of vectors whose batch lies on their last axis, as that of walkers does."""
    return dataclasses.replace(envs.point_mass(), batch_axis=-1, max_episode_steps=20)


@pytest.mark.parametrize("mode", ["SameStep", "NextStep"])
@pytest.mark.parametrize("make", [envs.cart_pole, dictionary_world, batch_last])
def test_same_as_a_loop_over_single_worlds(make, mode):
    loop, together = pair(make(), mode)
    assert together.observation_space == loop.observation_space
    assert together.action_space == loop.action_space
    assert together.metadata["autoreset_mode"] == loop.metadata["autoreset_mode"]
    assert_same(loop.reset(seed=3), together.reset(seed=3))
    together.action_space.seed(0)
    num_ends = 0
    for _ in range(60):
        actions = together.action_space.sample()
        expected = loop.step(actions)
        assert_same(expected, together.step(actions))
        num_ends += np.sum(expected[2] | expected[3])
    assert num_ends >= 5


def test_worlds_that_are_reset_by_a_mask():
    loop, together = pair(dictionary_world(), "Disabled")
    together.action_space.seed(0)
    assert_same(loop.reset(seed=0), together.reset(seed=0))
    num_masked = 0
    for _ in range(40):
        actions = together.action_space.sample()
        expected = loop.step(actions)
        assert_same(expected, together.step(actions))
        over = expected[2] | expected[3]
        if over.any():
            with pytest.raises(ResetNeeded, match=str(np.flatnonzero(over).tolist()[0])):
                together.step(actions)
            options = [{"reset_mask": over.copy()} for _ in range(2)]
            assert_same(loop.reset(options=options[0]), together.reset(options=options[1]))
            num_masked += 0 < over.sum() < NUM
    assert num_masked >= 3


def test_more_ends_than_a_block():
    """Eighty worlds end at once: three blocks of levels, each world on a level of its own."""
    worlds = to_vector_env(dictionary_world(), 80)
    obs, _ = worlds.reset(seed=0)
    assert len(np.unique(obs["level"][:, 1])) == 80
    actions = {"move": np.tile([1, 0], 40), "push": np.zeros((80, 1))}
    for _ in range(3):
        assert (obs["place"][0] == worlds._worlds.obs["place"][0]).all()
        obs, rewards, terminated, _, infos = worlds.step(actions)
    assert terminated.all() and (obs["place"][0] == 0).all()
    assert [final["place"][0].item() for final in infos["final_obs"]] == [3, -3] * 40
    np.testing.assert_array_equal(infos["final_info"]["solved"], rewards == 1)


def test_tasks_by_option_hold_until_the_next_reset():
    worlds = to_vector_env(dictionary_world(), 4)
    tasks = {"goal": np.array([[1.0], [-1.0], [0.5], [-0.5]]), "kind": [0, 1, 0, 1]}
    actions = {"move": np.ones(4, int), "push": np.zeros((4, 1))}
    _, infos = worlds.reset(seed=0, options={"task": tasks})
    np.testing.assert_array_equal(infos["task"]["goal"], tasks["goal"])
    for _ in range(3):
        *_, infos = worlds.step(actions)
    np.testing.assert_array_equal(infos["final_info"]["solved"], [True, False, True, False])
    np.testing.assert_array_equal(infos["task"]["goal"], tasks["goal"])
    worlds.set_tasks({"goal": np.full((4, 1), 0.25), "kind": np.zeros(4, int)})
    assert (worlds.reset()[1]["task"]["goal"] == 0.25).all()
    worlds.set_tasks(None)
    assert len(np.unique(worlds.reset()[1]["task"]["goal"])) == 4


def test_a_teacher_is_asked_once_for_all_that_end():
    teacher = Recorder()
    worlds = to_vector_env(dictionary_world(), 3, teacher)
    worlds.reset(seed=0)
    for move in ([1, 1, 0], [1, 1, 0], [1, 0, 0]):
        worlds.step({"move": np.array(move), "push": np.zeros((3, 1))})
    assert teacher.asked == [3, 2], "the first and the last world have ended"
    assert teacher.told == [("update", 0, 1.0, 3, True), ("update", 2, 0.0, 3, False)]
    worlds.close()
    assert teacher.told[2:] == [("drop", 3), ("drop", 1), ("drop", 4)]


def test_gymnasiums_statistics_are_ours():
    # gymnasium 1.3 counts the first step of an episode with this mode alone
    worlds = to_vector_env(envs.cart_pole(), NUM, autoreset_mode="NextStep")
    worlds = RecordEpisodeStatistics(worlds)
    worlds.reset(seed=0)
    worlds.action_space.seed(0)
    lengths = np.zeros(NUM)
    for _ in range(120):
        _, _, terminated, _, infos = worlds.step(worlds.action_space.sample())
        lengths += 1
        if terminated.any():
            np.testing.assert_array_equal(infos["episode"]["l"][terminated], lengths[terminated])
            lengths[terminated] = -1  # the step that resets
    assert len(worlds.return_queue) >= 5


def test_what_was_returned_is_not_written_over():
    worlds = to_vector_env(dictionary_world(), 2)
    returned = [worlds.reset(seed=0)[0]]
    copies = [jax.tree.map(np.copy, returned[0])]
    for _ in range(6):
        returned.append(worlds.step(worlds.action_space.sample())[0])
        copies.append(jax.tree.map(np.copy, returned[-1]))
    jax.tree.map(np.testing.assert_array_equal, returned, copies)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"task": [[1.0]]}, "must hold one task for each of 2 worlds, got 1"),
        ({"task": [[1.0], [9.0]]}, r"options\['task'\]\[1\] = \[9.0\] lies outside"),
        ({"reset_mask": np.array([True])}, "must hold 2 bools"),
        ({"reset_mask": np.zeros(2, bool)}, "of which one is True"),
        ({"reset_mask": [1, 0]}, "must hold 2 bools"),
        ({"tasks": [[1.0], [1.0]]}, r"a dictionary of \['task', 'reset_mask'\] alone, got"),
        ([[1.0]], "options must be a dictionary of"),
    ],
)
def test_bad_options_are_refused(options, message):
    worlds = to_vector_env(envs.cart_pole({"length": (0.1, 3.0)}), 2)
    worlds.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        worlds.reset(options=options)


def test_bad_numbers_modes_and_orders_are_refused():
    env = envs.cart_pole()
    with pytest.raises(ValueError, match="num_envs must be a positive integer, got 0"):
        to_vector_env(env, 0)
    with pytest.raises(TypeError, match="env must be of the type Environment, got 'cart-pole'"):
        to_vector_env("cart-pole", 2)
    with pytest.raises(ValueError, match="autoreset_mode must be one of .*, got 'never'"):
        to_vector_env(env, 2, autoreset_mode="never")
    worlds = to_vector_env(env, 2)
    with pytest.raises(ResetNeeded):
        worlds.step([0, 0])
    with pytest.raises(ValueError, match="seed must be one for each of 2 worlds, got 1"):
        worlds.reset(seed=[1])
    with pytest.raises(ValueError, match="seed must be an integer, a list of them or None"):
        worlds.reset(seed=1.5)
    worlds.reset(seed=0)
    with pytest.raises(ValueError, match=r"actions must be whole numbers of shape \(2,\)"):
        worlds.step([0, 0, 0])
    assert worlds.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    worlds.close()
    with pytest.raises(ResetNeeded):
        worlds.step([0, 0])


def test_alp_gmm_teaches_many_worlds():
    """Each ticket is given back once: with its return, or dropped when the worlds are closed."""
    host_teacher = pytest.importorskip("jaxcurriculum.interop.host_teacher")
    env = envs.cart_pole({"length": (0.1, 3.0)})
    settings = teachers.AlpGmmConfig(return_range=env.return_range)
    teacher = host_teacher.HostTeacher(teachers.alp_gmm(env.task_space, settings), batch=4)
    worlds = to_vector_env(env, 8, teacher)
    _, infos = worlds.reset(seed=0)
    played = [ticket.task for ticket in teacher.open_tickets()]
    np.testing.assert_array_equal(infos["task"], played)
    num_ends = 0
    for _ in range(60):
        _, _, terminated, _, infos = worlds.step(worlds.action_space.sample())
        num_ends += terminated.sum()
    known = int(teacher.state_dict()["rounds.teacher.history.num_rows"])
    assert num_ends - 4 < known <= num_ends and num_ends >= 8
    assert len(teacher.open_tickets()) == 8
    worlds.close()
    assert teacher.open_tickets() == []
