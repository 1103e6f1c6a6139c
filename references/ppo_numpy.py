"""PPO without memory as plain NumPy, for whole episodes that are rewarded at their last move.

A policy has two layers, and so has its critic; derivatives are written out by hand. A distribution
is a class with `log_prob(numbers, chosen)`, its slope and that of the entropy, by the `numbers`
that the policy says of each sample.
"""

import numpy as np


def network(layers, x):
    """Outputs and hidden features of two layers, with tanh between them."""
    (first, shift), (second, offset) = layers
    hidden = np.tanh(x @ first + shift)
    return hidden @ second + offset, hidden


def slopes(layers, x, hidden, of_output):
    """The gradient of each layer, from that of the outputs, [num, outputs]."""
    of_hidden = (of_output @ layers[1][0].T) * (1 - hidden**2)
    return [(x.T @ of_hidden, of_hidden.sum(0)), (hidden.T @ of_output, of_output.sum(0))]


def advantages(worth, values, discount, gae_lambda):
    """Of `values`, [moves, num], where the last move is rewarded with `worth`, [num]."""
    found = [worth - values[-1]]
    for value, following in zip(values[-2::-1], values[:0:-1]):
        found.append(discount * following - value + discount * gae_lambda * found[-1])
    return np.array(found[::-1])


class Ppo:
    """`policy` and `value` are two layers each, (weights, offsets), as arrays of float64."""

    def __init__(self, policy, value, config, distribution):
        self.layers = [*policy, *value]
        self.config, self.distribution = config, distribution
        flat = [array for layer in self.layers for array in layer]
        self.mean, self.square = ([np.zeros_like(array) for array in flat] for _ in range(2))
        self.rewards, self.num_updates = [], 0

    def log_prob(self, seen, chosen):
        return self.distribution.log_prob(network(self.layers[:2], seen)[0], chosen)

    def learn(self, seen, chosen, worth, known, orders):
        """A round of levels, whose `worth` was `known` or not, [num] both.

        What was seen and chosen is [moves, num, ...]; `orders` [epochs, moves * num] is that of the
        samples, move by move.
        """
        if not known.any():
            return
        config, shape = self.config, seen.shape[:2]
        rewards = np.zeros(shape)
        rewards[-1] = worth
        self.rewards.extend(rewards.ravel())
        scaled = worth / np.sqrt(np.var(self.rewards) + 1e-8)
        values = network(self.layers[2:], seen)[0][..., 0]
        gained = advantages(scaled, values, config.discount, config.gae_lambda)
        before, weight = self.log_prob(seen, chosen), np.broadcast_to(1.0 * known, shape)
        samples = (seen, chosen, before, gained, gained + values, weight)
        flat = [part.reshape(-1, *part.shape[2:]) for part in samples]
        for order in orders.reshape(-1, config.minibatch_size * shape[0]):
            self.improve(*(part[order] for part in flat))

    def improve(self, seen, chosen, before, advantage, target, weight):
        """A step on a minibatch, unless none of its samples counts."""
        if not weight.any():
            return
        config, policy, value = self.config, self.layers[:2], self.layers[2:]
        weight = weight / weight.sum()
        advantage = advantage - weight @ advantage
        advantage = advantage / (np.sqrt(weight @ advantage**2) + 1e-8)
        numbers, of_policy = network(policy, seen)
        values, of_value = network(value, seen)
        ratio = np.exp(self.distribution.log_prob(numbers, chosen) - before)
        pays = np.where(advantage > 0, ratio < 1 + config.clip_ratio, ratio > 1 - config.clip_ratio)
        gain = (weight * pays * ratio * advantage)[:, None]
        gain = gain * self.distribution.slope(numbers, chosen)
        spread = weight[:, None] * self.distribution.slope_of_entropy(numbers)
        wanted = gain + config.entropy_coefficient * spread
        error = config.value_coefficient * weight * (values[:, 0] - target)
        gradient = slopes(policy, seen, of_policy, -wanted)
        gradient += slopes(value, seen, of_value, error[:, None])
        self.step([array for layer in gradient for array in layer])

    def step(self, gradient):
        """Adam, after the gradient is cut to its largest norm."""
        self.num_updates += 1
        norm = np.sqrt(sum((part**2).sum() for part in gradient))
        most = self.config.max_gradient_norm
        flat = []
        for i, part in enumerate(gradient):
            part = part * min(1.0, most / norm)
            self.mean[i] = 0.9 * self.mean[i] + 0.1 * part
            self.square[i] = 0.999 * self.square[i] + 0.001 * part**2
            mean = self.mean[i] / (1 - 0.9**self.num_updates)
            square = self.square[i] / (1 - 0.999**self.num_updates)
            change = self.config.learning_rate * mean / (np.sqrt(square) + 1e-5)
            flat.append(self.layers[i // 2][i % 2] - change)
        self.layers = list(zip(flat[::2], flat[1::2]))
