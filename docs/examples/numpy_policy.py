"""Plays a PPO policy that `jaxcurriculum export` wrote, with NumPy alone.

    header, weights, memory = load("policy.npz")
    memory, action = act(header, weights, memory, obs)

An observation is a list of arrays, one for each of header["observation"]. `memory` is what `load`
gives at the first step of an episode, and at every other what the step before returned.
"""

import json

import numpy as np


def load(path):
    with np.load(path) as file:
        arrays = dict(file)
    header, memory = json.loads(str(arrays.pop("header"))), arrays.pop("memory", None)
    # "learner.params.policy.params.Dense_0.kernel" is called "Dense_0.kernel" here.
    short = {name: name.split("params.")[-1].split("learner.")[-1] for name in arrays}
    return header, {short[name]: array for name, array in arrays.items()}, memory


def act(header, weights, memory, obs):
    """The next memory and the best action."""
    seen = [standardised(weights, i, np.asarray(x, np.float32)) for i, x in enumerate(obs)]
    features = [convolved(weights, x) for x in seen if x.ndim >= 3]
    features += [x for x in seen if x.ndim < 3]
    x = np.concatenate([part.ravel() for part in features])
    layers = [f"Dense_{i}" for i in range(sum("Dense" in name for name in weights) // 2)]
    if memory is not None:
        x = memory = remembered(weights, memory, np.maximum(dense(weights, layers.pop(0), x), 0))
    for layer in layers[:-1]:
        x = np.tanh(dense(weights, layer, x))
    outputs, space = dense(weights, layers[-1], x), header["action"]
    if space["kind"] == "Discrete":
        return memory, int(np.argmax(outputs))
    return memory, np.clip(outputs, space["low"], space["high"])


def standardised(weights, i, x):
    if f"obs_moments.{i}.mean" not in weights:
        return x
    mean, variance = weights[f"obs_moments.{i}.mean"], weights[f"obs_moments.{i}.variance"]
    return np.clip((x - mean) / np.sqrt(variance + 1e-8), -10, 10)


def dense(weights, layer, x):
    return x @ weights[f"{layer}.kernel"] + weights.get(f"{layer}.bias", 0)


def convolved(weights, image):
    """3 by 3, without padding."""
    patches = np.lib.stride_tricks.sliding_window_view(image, (3, 3), axis=(0, 1))
    sums = np.einsum("hwcij,ijco->hwo", patches, weights["Conv_0.kernel"])
    return np.maximum(sums + weights["Conv_0.bias"], 0)


def remembered(weights, memory, x):
    """One step of a gated recurrent unit."""
    gate = {name: dense(weights, f"Scan_Cell_0.GRUCell_0.i{name}", x) for name in "rzn"}
    old = {name: dense(weights, f"Scan_Cell_0.GRUCell_0.h{name}", memory) for name in "rzn"}
    reset, keep = (1 / (1 + np.exp(-gate[name] - old[name])) for name in "rz")
    return (1 - keep) * np.tanh(gate["n"] + reset * old["n"]) + keep * memory
