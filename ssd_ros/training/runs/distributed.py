# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
One training run on several devices, as one device would do it.

Each process runs both backbones on its share of the rows of a batch, normalised by the mean and
variance of all rows; the feature maps then go to every process, and what follows (pooling,
losses) is done by each on the whole batch. So the loss is the one of a single process, whatever
the number of devices; the price is that pooling is not shared out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os
from typing import Any, cast

from ssd_ros.training.batches.pairs import Batch
from ssd_ros.training.config import BatchConfig, TrainingConfig
from ssd_ros.training.losses.objective import Objective, objective
from ssd_ros.training.networks.encoders import TeacherStudent
import torch
from torch import distributed, nn, Tensor
from torch.nn.parallel import DistributedDataParallel


@contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """Join the other processes if torchrun started this one."""
    if 'WORLD_SIZE' not in os.environ:
        yield
        return
    distributed.init_process_group('nccl' if device.type == 'cuda' else 'gloo')
    try:
        yield
    finally:
        distributed.destroy_process_group()


def own_device(name: str) -> torch.device:
    """
    Return the device of this process.

    :param name: auto, cpu or cuda
    :raise ValueError: there is no CUDA device
    """
    if name == 'cpu' or (name == 'auto' and not torch.cuda.is_available()):
        return torch.device('cpu')
    if not torch.cuda.is_available():
        raise ValueError('device is cuda, but PyTorch finds none: choose cpu')
    device = torch.device('cuda', int(os.environ.get('LOCAL_RANK', 0)))
    torch.cuda.set_device(device)
    return device


def is_first() -> bool:
    """Return whether this process writes the run folder."""
    return not distributed.is_initialized() or distributed.get_rank() == 0


def from_first(value: float, device: torch.device) -> float:
    """Return the value of the first process in all of them."""
    if not distributed.is_initialized():
        return value
    shared = torch.tensor([value], dtype=torch.float64, device=device)
    distributed.broadcast(shared, 0)
    return float(shared.item())


class SharedObjective(nn.Module):
    """The objective of a batch, its backbones shared out if there are several processes."""

    def __init__(self, networks: TeacherStudent, config: TrainingConfig) -> None:
        """
        Change the backbones so that they do their share, in training only.

        :raise ValueError: the batch cannot be shared out evenly
        """
        super().__init__()
        self.networks = networks
        self._config = config
        if distributed.is_initialized():
            check_shares(config.batch, distributed.get_world_size())
            parts = {networks.student, networks.teacher, networks.enhancement}  # perhaps fewer
            for backbone in filter(None, parts):
                _share_normalisation(backbone)
                backbone.register_forward_pre_hook(_own_rows)
                backbone.register_forward_hook(_all_rows)

    def forward(self, batch: Batch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss and the statistics of the whole batch."""
        result: Objective = objective(self.networks, batch, self._config, step)
        return result.loss, result.statistics


def shared_objective(networks: TeacherStudent, config: TrainingConfig) -> nn.Module:
    """Return the objective as a module whose gradients agree in all processes."""
    whole = SharedObjective(networks, config)
    if not distributed.is_initialized():
        return whole
    # The scores of the bins have no gradient; without distillation the alignment has none, either.
    return DistributedDataParallel(whole, find_unused_parameters=True)


class _Sum(torch.autograd.Function):
    """Sum over the processes; the gradient as well, since each has the whole loss."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        total = tensor.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        total = gradient.clone()
        distributed.all_reduce(total)
        return total


def _summed(tensor: Tensor) -> Tensor:
    return cast(Tensor, _Sum.apply(tensor.contiguous()))


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Normalise by all processes' rows; PyTorch's own SyncBatchNorm has no CPU form."""

    def forward(self, features: Tensor) -> Tensor:
        """Normalise features of shape (B, C, h, w), B the same in all processes."""
        if not self.training:
            return super().forward(features)
        assert self.running_mean is not None
        assert self.running_var is not None
        values = features.float()
        num = values[:, 0].numel() * distributed.get_world_size()
        mean = _summed(values.sum(dim=(0, 2, 3))) / num
        centred = values - mean[:, None, None]
        variance = _summed(centred.square().sum(dim=(0, 2, 3))) / num
        with torch.no_grad():
            momentum = cast(float, self.momentum)
            self.running_mean.lerp_(mean, momentum)
            self.running_var.lerp_(variance * (num / (num - 1)), momentum)
            cast(Tensor, self.num_batches_tracked).add_(1)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(features.dtype)


def _share_normalisation(module: nn.Module) -> None:
    """Replace all batch normalisation within, parameters kept."""
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            shared = SharedBatchNorm2d(child.num_features, child.eps, child.momentum)
            shared.load_state_dict(child.state_dict())
            setattr(module, name, shared.to(child.weight.device))
        else:
            _share_normalisation(child)


def _own_rows(module: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
    if not module.training:
        return inputs
    return (inputs[0].chunk(distributed.get_world_size())[distributed.get_rank()],)


def _all_rows(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
    if not module.training:
        return output
    parts = [torch.zeros_like(output)] * distributed.get_world_size()
    parts[distributed.get_rank()] = output
    return _summed(torch.cat(parts))


def check_shares(batch: BatchConfig, num_processes: int) -> None:
    """
    Check that every process gets as many rows as the others.

    :raise ValueError: it does not
    """
    for name, num in (
        ('batch.num_places', batch.num_places),
        ('batch.num_places + batch.num_distractors', batch.num_places + batch.num_distractors),
    ):
        if num % num_processes:
            raise ValueError(
                f'{name} is {num}, expected a multiple of the {num_processes} processes'
            )
