# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A teacher or a student, one step at a time; the best weights so far are kept."""

from __future__ import annotations

from collections.abc import Mapping
import copy
from pathlib import Path
from typing import Any

from ssd_ros.evaluation.bev_cache import CachedDrive
from ssd_ros.evaluation.judging.encoders import evaluate, mean_recall
from ssd_ros.evaluation.queries.descriptors import Encoders
from ssd_ros.evaluation.queries.protocol import Protocol
from ssd_ros.evaluation.scores.results import Result
from ssd_ros.training.config import record_from_yaml
from ssd_ros.training.fourdral.config import EVALUATED_AS, FourdralConfig, PROTOCOL
from ssd_ros.training.fourdral.frames import FrameBatch
from ssd_ros.training.fourdral.objective import objective
from ssd_ros.training.networks.density_encoders import (
    DensityEncoder,
    ImageEncoder,
    load_resnet18,
)
from ssd_ros.training.networks.encoding import torch_encode
from ssd_ros.training.runs.folder import RunFolder
from ssd_ros.training.runs.stepper import Stepper
import torch
from torch import Tensor


class FourdralRun(RunFolder[FourdralConfig]):
    """A run of a teacher or of a student."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, lambda path: record_from_yaml(path, FourdralConfig))


class FourdralTrainer(Stepper[FrameBatch]):
    """A teacher, or a student beside a frozen teacher."""

    def __init__(
        self,
        config: FourdralConfig,
        steps_per_epoch: int,
        teacher: DensityEncoder | None = None,
        device: torch.device | None = None,
    ) -> None:
        """
        Draw the initial weights from the seed, or take them over.

        :param teacher: trained; a student needs one
        :raise ValueError: a student has none, or the file to start from is no ResNet-18
        """
        if (teacher is None) != (config.task == 'l2l'):
            needs = 'needs a' if teacher is None else 'has no'
            raise ValueError(f'task {config.task} {needs} teacher')
        self.config = config
        self._steps_per_epoch = steps_per_epoch
        device = device or torch.device('cpu')
        self.network = initial_network(config, teacher).to(device)
        self._teacher = None if teacher is None else copy.deepcopy(teacher).to(device).eval()
        optimiser = torch.optim.Adam(
            self.network.parameters(),
            lr=config.optimiser.learning_rate,
            weight_decay=config.optimiser.weight_decay,
        )
        super().__init__(self.network, optimiser, config.bfloat16)
        self._best: dict[str, Any] = {}

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        return self.config.optimiser.num_epochs * self._steps_per_epoch

    def learning_rate(self, progress: float) -> float:
        """Return the rate, which falls at each milestone."""
        schedule = self.config.optimiser
        num_passed = sum(progress >= milestone for milestone in schedule.milestones)
        return schedule.learning_rate * schedule.decay**num_passed

    def objective(self, batch: FrameBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch, and its terms."""
        return objective(self.network, self._teacher, batch, self.config)

    def recall(self, drives: list[CachedDrive]) -> dict[str, float]:
        """Return R@1 on drives, and keep the weights if none had a better one."""
        recall = mean_of(judged(self.network, drives, self.config), self.config)
        if recall > self._best.get('recall', -1.0):
            weights = {name: tensor.cpu() for name, tensor in self.network.state_dict().items()}
            self._best = {'recall': recall, 'step': self.num_steps, 'weights': weights}
            self._best = copy.deepcopy(self._best)
        return {'multi_session': recall}

    def state(self) -> dict[str, Any]:
        """Return all that a later process needs to go on exactly, and the best weights."""
        return {**super().state(), 'best': self._best}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        super().load_state(state)
        self._best = state['best']


def initial_network(config: FourdralConfig, teacher: DensityEncoder | None) -> DensityEncoder:
    """Return a network with its initial weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = DensityEncoder(config.network.of_task(config.task))
    if config.resnet18:
        load_resnet18(network, _weights_of(Path(config.resnet18)))
    if teacher is not None and config.start == 'teacher':
        network.trunk.load_state_dict(teacher.trunk.state_dict())
    return network


def _weights_of(path: Path) -> Mapping[str, Tensor]:
    weights = torch.load(path, map_location='cpu', weights_only=True)
    if not isinstance(weights, Mapping):
        raise ValueError(f'{path} is no state dict: save model.state_dict() of a ResNet-18')
    return weights


def trained_network(run: FourdralRun) -> tuple[DensityEncoder, int]:
    """
    Return the network of a run as it was best on validation, and its step; else as it is last.

    :raise ValueError: the run has no checkpoint
    """
    if (state := run.load_checkpoint()) is None:
        raise ValueError(f'{run.directory} has no checkpoint: train first')
    best = state['best'] or {'weights': state['networks'], 'step': state['num_steps']}
    config = run.config
    network = DensityEncoder(config.network.of_task(config.task))
    network.load_state_dict(best['weights'])
    return network.eval(), int(best['step'])


def judged(
    network: DensityEncoder | ImageEncoder,
    drives: list[CachedDrive],
    config: FourdralConfig,
    protocol: Protocol = PROTOCOL,
) -> list[Result]:
    """Look up every image of each drive in the first of its world."""
    encoder = network if isinstance(network, ImageEncoder) else ImageEncoder(network)
    encode = torch_encode(encoder, config.bfloat16)
    encoders = Encoders(encode, lambda image: encode(image[None]))
    return evaluate(drives, encoders, protocol, tasks=(EVALUATED_AS[config.task],))


def mean_of(results: list[Result], config: FourdralConfig) -> float:
    """
    Return R@1, mean over drives.

    :raise ValueError: no drive has a query that can be answered
    """
    recall = mean_recall(results, EVALUATED_AS[config.task])
    if recall is None:
        raise ValueError(
            f'no drive of the validation can be asked in another for task {config.task}: its '
            'worlds need two drives each with the images of that task'
        )
    return recall
