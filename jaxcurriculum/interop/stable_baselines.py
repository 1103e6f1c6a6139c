"""Teachers for Stable-Baselines3: a callback, and a wrapper for environments in worker processes.

Stable-Baselines3 resets an environment inside its worker as soon as an episode ends, so every
worker has its next task beforehand: what a ticket misses are the returns of one more episode.
"""

from __future__ import annotations

from typing import Any

import gymnasium

from jaxcurriculum.fields import check_kind
from jaxcurriculum.interop.host_teacher import HostTeacher, Ticket


class TaskWrapper(gymnasium.Wrapper):
    """Lets an environment that reads `options={"task": ...}` at its reset be told of it before."""

    def set_task(self, task: Any, seed: int) -> None:
        """From the next reset on, play `task` on the level of `seed`."""
        self._seed, self._options = seed, {"task": task}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        """The next level; `seed` and `options` of the trainer give way to it."""
        return self.env.reset(seed=self._seed, options=self._options)


def teacher_callback(teacher: HostTeacher, vec_env: Any) -> Any:
    """A callback that gives `vec_env` the teacher's tasks, and the teacher the episodes' returns.

    Make it before `model.learn(..., callback=...)`, as that begins with a reset. The environments
    have a method `set_task(task, seed)`, their own or of `TaskWrapper`, for what the next reset is
    to begin, and are wrapped in a `Monitor`, as `make_vec_env` does. An episode counts as solved
    when its last info has a true `is_success`. Tickets that are open already, as after a
    checkpoint was loaded, are played first.

    Raises:
      ImportError: when Stable-Baselines3 is not installed.
      TypeError: when `teacher` is something else.
      ValueError: when an environment has no `set_task`; in training, when it has no `Monitor`.
    """
    from stable_baselines3.common.callbacks import BaseCallback  # pyright: ignore

    check_kind("teacher_callback.teacher", teacher, HostTeacher)
    if not vec_env.has_attr("set_task"):
        raise ValueError("teacher_callback: every environment must have set_task(task, seed).")

    class TeacherCallback(BaseCallback):
        def __init__(self):
            super().__init__()
            self.unplayed = teacher.open_tickets()
            self.playing: list[Ticket] = []
            self.upcoming = [self.send(worker) for worker in range(vec_env.num_envs)]

        def send(self, worker: int) -> Ticket:
            ticket = self.unplayed.pop(0) if self.unplayed else teacher.sample()
            vec_env.env_method("set_task", ticket.task, ticket.seed, indices=worker)
            return ticket

        def _on_training_start(self) -> None:
            if self.locals["reset_num_timesteps"] or not self.playing:  # all have just been reset
                for ticket in self.playing:
                    teacher.drop(ticket)
                self.playing = self.upcoming
                self.upcoming = [self.send(worker) for worker in range(vec_env.num_envs)]

        def _on_step(self) -> bool:
            for worker, info in enumerate(self.locals["infos"]):
                if self.locals["dones"][worker]:
                    if "episode" not in info:
                        raise ValueError("teacher_callback: wrap every environment in a Monitor.")
                    length, solved = info["episode"]["l"], info.get("is_success")
                    value = info["episode"]["r"]
                    teacher.update(self.playing[worker], value, length=length, solved=solved)
                    self.playing[worker] = self.upcoming[worker]
                    self.upcoming[worker] = self.send(worker)
            return True

    return TeacherCallback()
