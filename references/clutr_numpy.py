"""CLUTR's builder as plain NumPy: a bandit with beta distributions, one step of PPO a round.

The first pass over a round has probabilities that nobody has changed yet, so that PPO's ratio is 1
and nothing is clipped. Derivatives are written out by hand.
"""

import numpy as np
from scipy.special import betaln, digamma, polygamma


def softplus(x):
    return np.logaddexp(0, x)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def log_density(numbers, unit):
    """Of points in the unit cube, [num, dims], under the policy's `numbers`, [num, 2 dims]."""
    alpha, beta = np.split(1 + softplus(numbers), 2, axis=-1)
    each = (alpha - 1) * np.log(unit) + (beta - 1) * np.log1p(-unit) - betaln(alpha, beta)
    return each.sum(-1)


def network(layers, x):
    """Outputs and hidden features of two layers, with tanh between them."""
    (first, shift), (second, offset) = layers
    hidden = np.tanh(x @ first + shift)
    return hidden @ second + offset, hidden


def slopes(layers, x, hidden, of_output):
    """The gradient of each layer, from that of the outputs, [num, outputs]."""
    of_hidden = (of_output @ layers[1][0].T) * (1 - hidden**2)
    return [(x.T @ of_hidden, of_hidden.sum(0)), (hidden.T @ of_output, of_output.sum(0))]


class Bandit:
    """`policy` and `value` are two layers each, (weights, offsets), as arrays of float64."""

    def __init__(self, policy, value, config):
        self.layers = [*policy, *value]
        self.config = config
        flat = [array for layer in self.layers for array in layer]
        self.mean, self.square = ([np.zeros_like(array) for array in flat] for _ in range(2))
        self.rewards, self.num_updates = [], 0

    def learn(self, noise, unit, regret, known):
        """A round: points `unit` were drawn where `noise` was seen, [num, ...] all."""
        if not known.any():
            return
        self.rewards.extend(regret)
        policy, value = self.layers[:2], self.layers[2:]
        numbers, of_policy = network(policy, noise)
        values, of_value = network(value, noise)
        weight = known / known.sum()
        target = regret / np.sqrt(np.var(self.rewards) + 1e-8)
        advantage = target - values[:, 0]
        advantage = advantage - weight @ advantage
        advantage = advantage / (np.sqrt(weight @ advantage**2) + 1e-8)
        wanted = self.wanted(numbers, unit, weight, weight * advantage)
        error = self.config.value_coefficient * weight * (values[:, 0] - target)
        gradient = slopes(policy, noise, of_policy, wanted)
        gradient += slopes(value, noise, of_value, error[:, None])
        self.step([array for layer in gradient for array in layer])

    def wanted(self, numbers, unit, weight, worth):
        """The loss's derivative by the policy's numbers: of surrogate and entropy."""
        alpha, beta = np.split(1 + softplus(numbers), 2, axis=-1)
        both = digamma(alpha + beta)
        of_log = [np.log(unit) - digamma(alpha) + both, np.log1p(-unit) - digamma(beta) + both]
        rest = (alpha + beta - 2) * polygamma(1, alpha + beta)
        of_entropy = [rest - (one - 1) * polygamma(1, one) for one in (alpha, beta)]
        surrogate = worth[:, None] * np.concatenate(of_log, axis=-1)
        entropy = weight[:, None] * np.concatenate(of_entropy, axis=-1)
        gain = surrogate + self.config.entropy_coefficient * entropy
        return -gain * sigmoid(numbers)

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
