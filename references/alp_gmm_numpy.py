"""ALP-GMM as a plain loop over episodes with scikit-learn's mixtures, written from the paper."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture


class NearestNeighbourProgress:
    """Learning progress against the nearest of ALL past tasks; of equals the latest."""

    def __init__(self, dims: int):
        self.tasks, self.returns = np.zeros((1024, dims), np.float32), np.zeros(1024, np.float32)
        self.num = 0

    def add(self, task: np.ndarray, episode_return: float) -> float:
        progress = 0.0
        if self.num > 5:
            distance = np.sum((self.tasks[: self.num] - task) ** 2, axis=1)
            nearest = self.num - 1 - np.argmin(distance[::-1])
            progress = abs(np.float32(episode_return) - self.returns[nearest])
        if self.num == len(self.returns):  # amortised growth
            self.tasks = np.concatenate([self.tasks, np.zeros_like(self.tasks)])
            self.returns = np.concatenate([self.returns, np.zeros_like(self.returns)])
        self.tasks[self.num], self.returns[self.num] = task, episode_return
        self.num += 1
        return float(progress)


class AlpGmm:
    """`sample()` gives a task, `update(task, return)` learns from its episode."""

    def __init__(self, low, high, fit_every=250, components=range(2, 11), exploration=0.2, seed=0):
        self.low, self.high = np.asarray(low, np.float32), np.asarray(high, np.float32)
        self.fit_every, self.components, self.exploration = fit_every, components, exploration
        self.random = np.random.default_rng(seed)
        self.progress = NearestNeighbourProgress(len(self.low))
        self.rows = []
        self.mixture = None

    def sample(self) -> np.ndarray:
        if self.mixture is None or self.random.random() < self.exploration:
            return self.random.uniform(self.low, self.high).astype(np.float32)
        alp = np.maximum(self.mixture.means_[:, -1], 0)
        chance = alp / alp.sum() if alp.sum() > 0 else np.full(len(alp), 1 / len(alp))
        component = self.random.choice(len(alp), p=chance)
        draw = self.random.multivariate_normal(
            self.mixture.means_[component], self.mixture.covariances_[component]
        )
        return np.clip(draw[:-1], self.low, self.high).astype(np.float32)

    def update(self, task: np.ndarray, episode_return: float) -> None:
        self.rows.append([*task, self.progress.add(task, episode_return)])
        if len(self.rows) % self.fit_every == 0:
            rows = np.array(self.rows[-self.fit_every :])
            # Fewer distinct rows than components, or EM cut at 100 iterations, are no matter.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                fits = [self._fit(rows, num) for num in self.components]
            self.mixture = min(fits, key=lambda fit: fit.aic(rows))

    def _fit(self, rows, num):
        return GaussianMixture(n_components=num, random_state=0).fit(rows)
