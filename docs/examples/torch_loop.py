"""A plain PyTorch loop: REINFORCE on shots at a target, whose distance a teacher chooses.

    python docs/examples/torch_loop.py            # some seconds

The policy sees the distance and decides how hard to throw; throws lie around its mean. Solved is
what lands within half a metre.
"""

from __future__ import annotations

import argparse

import torch

from jaxcurriculum import Box, teachers
from jaxcurriculum.interop import HostTeacher

GRAVITY = 9.81  # m/s^2
DISTANCE = (1.0, 30.0)  # m
HIT = 0.5  # m
NOISE = 0.02  # standard deviation of a throw, of the policy's output


def shoot(distance: torch.Tensor, effort: torch.Tensor) -> torch.Tensor:
    """How far from the target a throw at 45 degrees lands, in m."""
    speed = 20.0 * effort  # m/s
    return torch.abs(speed**2 / GRAVITY - distance)


def evaluate(policy: torch.nn.Module) -> float:
    """The share of distances that the mean throw hits."""
    distances = torch.linspace(*DISTANCE, 100)
    with torch.no_grad():
        efforts = policy(distances[:, None] / DISTANCE[1])[:, 0]
    return float((shoot(distances, efforts) < HIT).float().mean())


def train(num_updates: int, seed: int = 0, tickets: int = 64) -> tuple[list[float], HostTeacher]:
    """Train, and test every tenth of the way; the shares of hits, and the teacher."""
    torch.manual_seed(seed)
    box = Box(names=("distance",), low=DISTANCE[:1], high=DISTANCE[1:], units=("m",))
    config = teachers.AlpGmmConfig(fit_every=200, return_range=(-10.0, 0.0))
    teacher = HostTeacher(teachers.alp_gmm(box, config), seed=seed, batch=tickets)
    policy = torch.nn.Sequential(torch.nn.Linear(1, 64), torch.nn.Tanh(), torch.nn.Linear(64, 1))
    optimiser = torch.optim.Adam(policy.parameters(), lr=3e-3)
    hits = [evaluate(policy)]
    for update in range(1, num_updates + 1):
        batch = teacher.sample(tickets)
        distances = torch.tensor([float(ticket.task[0]) for ticket in batch])
        throws = torch.distributions.Normal(policy(distances[:, None] / DISTANCE[1])[:, 0], NOISE)
        efforts = throws.sample()
        misses = shoot(distances, efforts)
        advantages = shoot(distances, throws.mean.detach()) - misses  # against the mean throw
        loss = -(advantages / (advantages.std() + 1e-6) * throws.log_prob(efforts)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        for ticket, miss in zip(batch, misses.tolist()):
            teacher.update(ticket, -miss, solved=miss < HIT)
        if update % max(1, num_updates // 10) == 0:
            hits.append(evaluate(policy))
            print(f"{update:5d} updates: {100 * hits[-1]:.0f} % of the distances hit", flush=True)
    return hits, teacher


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--updates", type=int, default=600)
    train(parser.parse_args().updates)
