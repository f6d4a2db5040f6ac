# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Networks and their optimiser, one step at a time, whatever is minimised."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

import torch
from torch import nn, Tensor

Batch = TypeVar('Batch')


class Stepper(ABC, Generic[Batch]):
    """
    What a training loop needs of a method.

    :param num_steps: taken so far
    :param elapsed_s: spent on them, kept by the loop
    """

    def __init__(
        self, networks: nn.Module, optimiser: torch.optim.Optimizer, bfloat16: bool
    ) -> None:
        """
        Begin at step 0.

        :param networks: on their device; what is saved
        :param bfloat16: mixed precision
        """
        self._networks, self.optimiser = networks, optimiser
        self._bfloat16 = bfloat16
        self.num_steps = 0
        self.elapsed_s = 0.0

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self._networks.parameters()).device

    @property
    @abstractmethod
    def total_steps(self) -> int:
        """Steps of the whole run."""

    @abstractmethod
    def learning_rate(self, progress: float) -> float:
        """Return the rate at a share of the run that is over, in [0, 1]."""

    @abstractmethod
    def objective(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch, and scalars to report."""

    def step(self, batch: Batch, progress: float) -> dict[str, float]:
        """
        Take one step; return the loss, the objective's statistics and the learning rate.

        :param progress: share of the run that is over, in [0, 1]
        """
        rate = self.learning_rate(progress)
        for group in self.optimiser.param_groups:
            group['lr'] = rate
        self._networks.train()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._bfloat16):
            loss, statistics = self.objective(batch)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.num_steps += 1
        return {
            'loss': loss.item(),
            **{name: value.item() for name, value in statistics.items()},
            'learning_rate': rate,
        }

    def state(self) -> dict[str, Any]:
        """Return all that a later process needs to go on exactly."""
        return {
            'networks': self._networks.state_dict(),
            'optimiser': self.optimiser.state_dict(),
            'num_steps': self.num_steps,
            'elapsed_s': self.elapsed_s,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._networks.load_state_dict(state['networks'])
        self.optimiser.load_state_dict(state['optimiser'])
        self.num_steps, self.elapsed_s = state['num_steps'], state['elapsed_s']
