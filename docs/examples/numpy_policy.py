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
    kinds = [about["dtype"] for about in header["observation"]]
    images = [x / 255 if kind == "uint8" else x for x, kind in zip(seen, kinds) if x.ndim >= 3]
    features = [convolved(weights, image) for image in images]
    features += [x for x in seen if x.ndim < 3]
    x = np.concatenate([part.ravel() for part in features])
    layers = [f"Dense_{i}" for i in range(sum(name.startswith("Dense_") for name in weights) // 2)]
    if memory is not None:
        x = np.maximum(dense(weights, layers.pop(0), x), 0)
        remembered = []
        for i, before in enumerate(memory):
            after, x = step(weights, f"memory_{i}", before, x)
            remembered.append(after)
        memory = np.stack(remembered)
    for layer in layers[:-1]:
        x = np.tanh(dense(weights, layer, x))
    outputs, space = dense(weights, layers[-1], x), header["action"]
    if space["kind"] == "Discrete":
        return memory, int(np.argmax(outputs))
    low, high = np.array(space["low"]), np.array(space["high"])
    if len(outputs) > len(low):  # beta distributions
        to_high, to_low = np.split(np.logaddexp(0, outputs), 2)
        outputs = low + (high - low) * to_high / (to_high + to_low)
    return memory, np.clip(outputs, low, high)


def standardised(weights, i, x):
    if f"obs_moments.{i}.mean" not in weights:
        return x
    mean, variance = weights[f"obs_moments.{i}.mean"], weights[f"obs_moments.{i}.variance"]
    return np.clip((x - mean) / np.sqrt(variance + 1e-8), -10, 10)


def dense(weights, layer, x):
    return x @ weights[f"{layer}.kernel"] + weights.get(f"{layer}.bias", 0)


def convolved(weights, image):
    """3 by 3, without padding, by strides of 2 until a side has 12 pixels."""
    number = 0
    while min(image.shape[:2]) > 12:
        image, number = convolution(weights, number, image)[::2, ::2], number + 1
    return convolution(weights, number, image)


def convolution(weights, number, image):
    patches = np.lib.stride_tricks.sliding_window_view(image, (3, 3), axis=(0, 1))
    sums = np.einsum("hwcij,ijco->hwo", patches, weights[f"Conv_{number}.kernel"])
    return np.maximum(sums + weights[f"Conv_{number}.bias"], 0)


def step(weights, layer, memory, x):
    """One step of a layer of memory: what it remembers, and what it puts out."""
    if f"{layer}.skip" in weights:
        return s5(weights, layer, memory, x)
    return (lstm if f"{layer}.forget.kernel" in weights else gru)(weights, layer, memory, x)


def gru(weights, layer, memory, x):
    new = [dense(weights, f"{layer}.{name}", x) for name in ("reset", "update", "candidate")]
    old = recalled(weights, layer, memory, 3)
    reset, keep = (sigmoid(new[i] + old[i]) for i in range(2))
    memory = (1 - keep) * np.tanh(new[2] + reset * old[2]) + keep * memory
    return memory, memory


def lstm(weights, layer, memory, x):
    cell, output = np.split(memory, 2)
    names = ("input", "forget", "candidate", "output")
    new = [dense(weights, f"{layer}.{name}", x) for name in names]
    enter, keep, value, leave = map(np.add, new, recalled(weights, layer, output, 4))
    cell = sigmoid(keep) * cell + sigmoid(enter) * np.tanh(value)
    output = sigmoid(leave) * np.tanh(cell)
    return np.concatenate([cell, output]), output


def recalled(weights, layer, memory, num_gates):
    """What the memory says of each gate."""
    sums = memory @ weights[f"{layer}.recurrent_kernel"] + weights[f"{layer}.recurrent_bias"]
    return np.split(sums, num_gates)


def s5(weights, layer, memory, x):
    own = {name: weights[f"{layer}.{name}"] for name in ("log_decay", "frequency", "log_step")}
    eigenvalues = -np.exp(own["log_decay"]) + 1j * own["frequency"]
    decay = np.exp(eigenvalues * np.exp(own["log_step"]))
    entry, exit = (weights[f"{layer}.{name}"] for name in ("entry", "exit"))
    entry, exit = entry[0] + 1j * entry[1], exit[0] + 1j * exit[1]
    real, imaginary = np.split(memory, 2)
    state = decay * (real + 1j * imaginary) + x @ entry * (decay - 1) / eigenvalues
    y = 2 * (state @ exit).real + weights[f"{layer}.skip"] * x
    y = 0.5 * y * (1 + np.tanh(np.sqrt(2 / np.pi) * (y + 0.044715 * y**3)))
    value, gate = np.split(dense(weights, f"{layer}.gate", y), 2)
    return np.concatenate([state.real, state.imag]), x + value * sigmoid(gate)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))
