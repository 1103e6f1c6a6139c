"""Stable-Baselines3 on our worlds: its own checker, its PPO, and what it asks a VecEnv for."""

import importlib.util
import pathlib
import sys

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.evaluation import evaluate_policy

from jaxcurriculum import envs
from jaxcurriculum.interop import to_gymnasium, to_stable_baselines

EXAMPLE = pathlib.Path(__file__).parents[2] / "docs/examples/sb3_many_worlds.py"
POLE = envs.cart_pole({"length": (0.4, 0.6)})
QUICK = dict(n_epochs=10, gamma=0.98, gae_lambda=0.8, seed=0, device="cpu")


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("env", [POLE, envs.maze()], ids=["cart-pole", "maze"])
def test_its_checker_passes(env):
    check_env(to_gymnasium(env))


def test_ppo_learns_on_one_world():
    world = to_gymnasium(POLE)
    model = PPO("MlpPolicy", world, n_steps=512, batch_size=64, learning_rate=1e-3, **QUICK)
    before, _ = evaluate_policy(model, world, n_eval_episodes=10, warn=False)
    model.learn(6000)
    after, _ = evaluate_policy(model, world, n_eval_episodes=10, warn=False)
    assert before < 100 < 200 < after


def test_ppo_learns_on_many_worlds():
    worlds = to_stable_baselines(POLE, 32)
    model = PPO("MlpPolicy", worlds, n_steps=32, batch_size=256, learning_rate=3e-3, **QUICK)
    before, _ = evaluate_policy(model, worlds, n_eval_episodes=32, warn=False)
    model.learn(20_000)
    lengths = [episode["l"] for episode in model.ep_info_buffer]
    returns = [episode["r"] for episode in model.ep_info_buffer]
    assert returns == lengths, "a step is worth 1"
    after, _ = evaluate_policy(model, worlds, n_eval_episodes=32, warn=False)
    assert before < 100 < 200 < after


def test_same_as_a_single_world():
    """A world of many is the single one with its seed, and shows its true last observation."""
    many, one = to_stable_baselines(POLE, 3), to_gymnasium(POLE)
    many.seed(4)
    obs = many.reset()
    expected, info = one.reset(seed=6)
    np.testing.assert_allclose(obs[2], expected, rtol=1e-6)
    assert many.get_attr("task", 2)[0] == info["task"] == many.reset_infos[2]["task"]
    over = False
    while not over:
        expected, reward, over, _, info = one.step(1)
        obs, rewards, dones, infos = many.step(np.ones(3, int))
        assert rewards[2] == reward and dones[2] == over
    np.testing.assert_allclose(infos[2]["terminal_observation"], expected, rtol=1e-4, atol=1e-5)
    assert infos[2]["TimeLimit.truncated"] is False and infos[2]["is_success"] is False
    assert infos[2]["task"] == info["task"] and infos[2]["episode"]["l"] > 5
    np.testing.assert_allclose(obs[2], one.reset()[0], rtol=1e-6)


def test_a_time_limit_is_no_end():
    """A pole that is kept up is cut after 500 steps, and only then."""
    worlds = to_stable_baselines(POLE, 2)
    obs, lengths = worlds.reset(), []
    for _ in range(1100):
        action = (obs[:, 2] + 0.5 * obs[:, 3] + 0.05 * obs[:, 1] > 0).astype(int)
        obs, _, dones, infos = worlds.step(action)
        ends = [info for info, done in zip(infos, dones) if done]
        lengths += [(info["episode"]["l"], info["TimeLimit.truncated"]) for info in ends]
    assert lengths and all(truncated == (length == 500) for length, truncated in lengths)
    assert (500, True) in lengths


def test_tasks_by_option_and_by_method():
    worlds = to_stable_baselines(POLE, 2)
    worlds.env_method("set_task", [0.5], indices=0)
    worlds.set_options([{}, {"task": [0.6]}])
    worlds.reset()
    np.testing.assert_allclose(np.concatenate(worlds.get_attr("task")), [0.5, 0.6], rtol=1e-6)
    worlds.reset()
    assert worlds.get_attr("task", 0)[0] == 0.5 and worlds.get_attr("task", 1)[0] < 0.6
    with pytest.raises(ValueError, match="lies outside"):
        worlds.env_method("set_task", [9.0])
    with pytest.raises(ValueError, match="num_envs must be a positive integer"):
        to_stable_baselines(POLE, 0)


def test_the_example_runs(monkeypatch):
    pytest.importorskip("jaxcurriculum.interop.host_teacher")
    spec = importlib.util.spec_from_file_location("sb3_many_worlds", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    monkeypatch.setattr(sys, "argv", ["sb3_many_worlds.py", "--worlds", "8", "--steps", "1024"])
    example.main()
