"""PAIRED's builder chooses one of several parts in each move, and is paid a level's regret."""

import numpy as np


class Categorical:
    """The distribution of choices, whole numbers [...]."""

    @staticmethod
    def log_prob(numbers, choice):
        return np.take_along_axis(log_shares(numbers), choice[..., None], axis=-1)[..., 0]

    @staticmethod
    def slope(numbers, choice):
        return np.eye(numbers.shape[-1])[choice] - np.exp(log_shares(numbers))

    @staticmethod
    def slope_of_entropy(numbers):
        logs = log_shares(numbers)
        shares = np.exp(logs)
        entropy = -(shares * logs).sum(-1, keepdims=True)
        return -shares * (logs + entropy)


def log_shares(numbers):
    return numbers - np.logaddexp.reduce(numbers, axis=-1, keepdims=True)


def regret(returns, objective, clamp):
    """Of a level, and whether it is known; `returns` are a list for each of two students.

    Those that are nan are of episodes that did not end.
    """
    first, second = ([each for each in student if np.isfinite(each)] for student in returns)
    if not first or not second:
        return 0.0, False
    if objective == "flexible" and max(first) >= max(second):
        first, second = second, first
    found = max(second) - sum(first) / len(first)
    return max(found, 0.0) if clamp else found, True
