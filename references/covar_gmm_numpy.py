"""Covar-GMM as a plain loop with scikit-learn's mixtures, written from the published rule."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture


class CovarGmm:
    """`sample()` gives a task, `update(task, return)` learns from its episode."""

    def __init__(
        self,
        low,
        high,
        fit_every=250,
        components=range(2, 11),
        exploration=0.2,
        absolute=False,
        seed=0,
    ):
        self.low, self.high = np.asarray(low, np.float32), np.asarray(high, np.float32)
        self.fit_every, self.components = fit_every, components
        self.exploration, self.absolute = exploration, absolute
        self.random = np.random.default_rng(seed)
        self.rows = []
        self.mixture = None

    def preference(self) -> np.ndarray:
        """The covariance of time and return in every component of the mixture."""
        covariance = self.mixture.covariances_[:, -2, -1]
        return np.abs(covariance) if self.absolute else np.maximum(covariance, 0)

    def sample(self) -> np.ndarray:
        if self.mixture is None or self.random.random() < self.exploration:
            return self.random.uniform(self.low, self.high).astype(np.float32)
        preference = self.preference()
        chance = np.full(len(preference), 1 / len(preference))
        if preference.sum() > 0:
            chance = preference / preference.sum()
        component = self.random.choice(len(chance), p=chance)
        mean, covariance = self.mixture.means_[component], self.mixture.covariances_[component]
        draw = self.random.multivariate_normal(mean, covariance)
        return np.clip(draw[:-2], self.low, self.high).astype(np.float32)

    def update(self, task: np.ndarray, episode_return: float) -> None:
        time = len(self.rows) % self.fit_every / self.fit_every
        self.rows.append([*task, time, episode_return])
        if len(self.rows) % self.fit_every == 0:
            rows = np.array(self.rows[-self.fit_every :])
            mixtures = [GaussianMixture(n_components=k, random_state=0) for k in self.components]
            with warnings.catch_warnings():
                # fewer distinct rows than components, or EM cut at 100 iterations
                warnings.simplefilter("ignore", ConvergenceWarning)
                fits = [mixture.fit(rows) for mixture in mixtures]
            self.mixture = min(fits, key=lambda fit: fit.aic(rows))
