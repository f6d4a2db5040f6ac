# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Teacher and student of polar BEVs, one step at a time."""

from __future__ import annotations

from dataclasses import replace
import math

from ssd_ros.evaluation.bev_cache import CachedDrive
from ssd_ros.evaluation.judging.encoders import evaluate, mean_recall
from ssd_ros.evaluation.queries.protocol import Protocol
from ssd_ros.training.batches.pairs import Batch
from ssd_ros.training.config import OptimiserConfig, TrainingConfig
from ssd_ros.training.networks.encoders import networks_of
from ssd_ros.training.networks.encoding import torch_encoders
from ssd_ros.training.runs.distributed import shared_objective
from ssd_ros.training.runs.folder import Run
from ssd_ros.training.runs.stepper import Stepper
import torch
from torch import Tensor

_MIN_CHANNELS_LAST = 16


class Trainer(Stepper[Batch]):
    """Teacher and student of polar BEVs."""

    def __init__(self, config: TrainingConfig, device: torch.device | None = None) -> None:
        self.config = config
        self.networks = networks_of(config).to(device or torch.device('cpu'))
        # Faster; but with 4 channels PyTorch 2.13 writes beyond its memory.
        if config.network.channels[0] >= _MIN_CHANNELS_LAST:
            self.networks.to(memory_format=torch.channels_last)
        if config.teacher == 'frozen':
            self.networks.freeze_teacher()
        self._objective = shared_objective(self.networks, config)
        optimiser = torch.optim.AdamW(
            [weight for weight in self.networks.parameters() if weight.requires_grad],
            lr=config.optimiser.learning_rate,
            weight_decay=config.optimiser.weight_decay,
        )
        super().__init__(self.networks, optimiser, config.bfloat16)

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        return self.config.optimiser.num_steps

    def learning_rate(self, progress: float) -> float:
        """Return the rate at a share of the run that is over."""
        return learning_rate(self.config.optimiser, progress)

    def objective(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch, and scalars to report."""
        loss, statistics = self._objective(batch, self.num_steps)
        return loss, statistics

    def step(self, batch: Batch, progress: float) -> dict[str, float]:
        """Take one step, see Stepper."""
        if self.config.optimiser.forgets:
            self.optimiser.state.clear()
        return super().step(batch, progress)

    def load_weights(self, run: Run) -> None:
        """
        Start from the weights of another run; parts that it lacked keep their initial ones.

        Beside a frozen teacher the student starts from the teacher's weights, not from its own.

        :raise ValueError: it has no weights, or parts that this network lacks
        """
        if (state := run.load_checkpoint()) is None:
            raise ValueError(f'{run.directory} has no checkpoint to start from')
        weights = state['networks']
        if self.config.teacher == 'frozen':
            weights = {
                name: weights.get(f'teacher.{name.removeprefix("student.")}', tensor)
                for name, tensor in weights.items()
            }
        try:
            unknown = self.networks.load_state_dict(weights, strict=False).unexpected_keys
        except RuntimeError as error:  # sizes
            raise ValueError(f'{run.directory} is a run of another network: {error}') from error
        if unknown:
            raise ValueError(f'{run.directory} has weights that this network lacks: {unknown[0]}')

    def recall(self, drives: list[CachedDrive], protocol: Protocol) -> dict[str, float]:
        """
        Return the mean R@1 of the single- and the multi-session task that the drives have.

        Of fewer views than the protocol's where its number does not divide the network's.
        """
        num_views = math.gcd(protocol.num_views, self.config.network.num_views)
        protocol = replace(protocol, num_views=num_views)
        encoders = torch_encoders(self.networks, self.config.bfloat16, self.config.max_returns)
        results = evaluate(drives, encoders, protocol)
        recalls = {f'{task}_session': mean_recall(results, task) for task in ('single', 'multi')}
        return {name: recall for name, recall in recalls.items() if recall is not None}


def learning_rate(config: OptimiserConfig, progress: float) -> float:
    """Return a rise from 0, then half a cosine down to the final rate."""
    if progress < config.warmup:
        return config.learning_rate * progress / config.warmup
    falling = (progress - config.warmup) / (1 - config.warmup)
    span = config.learning_rate - config.final_learning_rate
    return config.final_learning_rate + span * (1 + math.cos(math.pi * falling)) / 2
