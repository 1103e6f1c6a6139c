"""The gait that gymnasium ships with BipedalWalker, for many walkers at once."""

import numpy as np

STAY, PUT, PUSH = 1, 2, 3  # stand on one leg and swing the other, put that one down, push off
SPEED, SUPPORT_KNEE = 0.29, 0.1
NONE = 0.0  # the original takes a target of exactly 0 for no target


class HeuristicGait:
    """Decides for `num` walkers with two legs, each with a memory of its own.

    Everything is float32, as observations are: the original computes in it too.
    """

    def __init__(self, num: int):
        self.phase = np.full(num, STAY)
        self.moving = np.zeros(num, int)  # number of the leg in the air
        self.knee = np.full(num, SUPPORT_KNEE, np.float32)  # target of the supporting knee
        self.rows = np.arange(num)

    def restart(self, ended: np.ndarray) -> None:
        """Forget what led here where `ended` [N]."""
        self.phase[ended], self.moving[ended], self.knee[ended] = STAY, 0, SUPPORT_KNEE

    def __call__(self, obs: np.ndarray) -> np.ndarray:
        """Actions [N, 4] for observations [N, 24]."""
        obs = np.asarray(obs, np.float32)
        hips, knees = self._targets(obs)
        legs = obs[:, 4:14].reshape(-1, 2, 5)
        angle, rate, _, climb = obs[:, :4].T[:, :, None]  # [N, 1] each
        hip = np.where(hips == NONE, 0, 0.9 * (hips - legs[:, :, 0]) - 0.25 * legs[:, :, 1])
        knee = np.where(knees == NONE, 0, 4.0 * (knees - legs[:, :, 2]) - 0.25 * legs[:, :, 3])
        hip -= 0.9 * (0 - angle) - 1.5 * rate
        knee -= 15.0 * climb
        return np.clip(0.5 * np.stack([hip, knee], axis=2).reshape(-1, 4), -1, 1)

    def _targets(self, obs):
        """Targets [N, 2] of hips and knees; a step may pass through several phases."""
        rows, moving, support, speed = self.rows, self.moving, 1 - self.moving, obs[:, 2]
        legs = obs[:, 4:14].reshape(-1, 2, 5)
        swing, stand = legs[rows, moving], legs[rows, support]
        hips, knees = np.full((2, len(obs), 2), NONE, np.float32)

        staying = self.phase == STAY
        raised = self.knee + 0.03
        raised = np.where(speed > SPEED, raised + 0.03, raised)
        self.knee = np.where(staying, np.minimum(raised, SUPPORT_KNEE), self.knee)
        set_where(staying, (hips, moving, 1.1), (knees, moving, -0.6), (knees, support, self.knee))
        self.phase[staying & (stand[:, 0] < 0.10)] = PUT

        putting = self.phase == PUT
        set_where(
            putting, (hips, moving, 0.1), (knees, moving, SUPPORT_KNEE), (knees, support, self.knee)
        )
        landed = putting & (swing[:, 4] > 0)
        self.phase[landed] = PUSH
        self.knee = np.where(landed, np.minimum(swing[:, 2], SUPPORT_KNEE), self.knee)

        pushing = self.phase == PUSH
        set_where(pushing, (knees, moving, self.knee), (knees, support, 1.0))
        pushed = pushing & ((stand[:, 2] > 0.88) | (speed > 1.2 * SPEED))
        self.phase[pushed] = STAY
        self.moving = np.where(pushed, support, moving)
        return hips, knees


def set_where(chosen: np.ndarray, *targets) -> None:
    """Set each (array [N, 2], leg [N], value) in the rows `chosen`."""
    for array, leg, value in targets:
        array[chosen, leg[chosen]] = np.broadcast_to(value, chosen.shape)[chosen]
