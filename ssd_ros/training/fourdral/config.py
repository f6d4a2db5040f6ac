# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What can be set in training as 4DRaL does; defaults are the paper's, or called reconstructed."""

from __future__ import annotations

from dataclasses import dataclass, field

from ssd_ros.bev.density_image import DensityConfig
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.evaluation.queries.protocol import Protocol
from ssd_ros.training.network_config import DensityNetworkConfig, TASKS_4DRAL
from ssd_ros.training.schemes import DIVERGENCES

NEGATIVES = ('lidar', '4d', 'both')
STARTS = ('scratch', 'teacher')
# Every image of the map, right within 25 m.
PROTOCOL = Protocol(database='B', keyframe_m=0.0, query_m=0.0, num_views=1, radius_m=25.0)
EVALUATED_AS = {'l2l': 'spinning', 'r2r': '4d', 'r2l': 'multi'}
"""Task of the evaluation for each; LiDAR's images stand in place of the spinning radar's."""


@dataclass(frozen=True, slots=True)
class PlaceBatchConfig:
    """
    What one step sees.

    :param num_queries: each with one positive and the negatives, of both sensors
    :param max_turn_deg: images are turned by a whole number of degrees up to this, each its own
    :param turns_teacher: whether they are where the teacher is trained
    :param turns_students: likewise where a student is; both images of a frame alike
    """

    num_queries: int = 40
    num_negatives: int = 4
    positive_radius_m: float = 10.0
    negative_radius_m: float = 50.0
    max_turn_deg: int = 30
    turns_teacher: bool = True
    turns_students: bool = False

    def __post_init__(self) -> None:
        for name in ('num_queries', 'num_negatives'):
            if getattr(self, name) < 1:
                raise ValueError(f'batch.{name} is {getattr(self, name)}, expected at least 1')
        if self.negative_radius_m < self.positive_radius_m:
            raise ValueError(
                f'batch.negative_radius_m is {self.negative_radius_m}, expected at least '
                f'positive_radius_m, {self.positive_radius_m}'
            )


@dataclass(frozen=True, slots=True)
class LossWeights:
    """
    Constants of the triplet, and of the three terms that distil; a weight of 0 leaves a term out.

    :param margin: of the triplet
    :param is_local: redrawn images are compared where both sensors have returns, else everywhere
    :param by_mask: reconstructed: mean over the cells compared, not over all
    :param divergence: of imitated features, one of DIVERGENCES; reconstructed
    :param relational_margin: 0 = none
    :param negatives: reconstructed: whose images are negatives of r2l, one of NEGATIVES
    :param lidar_identity: reconstructed: of what LiDAR images lose by being redrawn, r2l
    """

    margin: float = 0.3
    enhancement: float = 1.0
    is_local: bool = True
    by_mask: bool = False
    imitation: float = 1.0
    divergence: str = 'bernoulli'
    relational: float = 1.0
    relational_margin: float = 0.01
    negatives: str = 'lidar'
    lidar_identity: float = 0.0

    def __post_init__(self) -> None:
        for name, choices in (('divergence', DIVERGENCES), ('negatives', NEGATIVES)):
            if (given := getattr(self, name)) not in choices:
                raise ValueError(f'loss.{name} is {given!r}; choose from {", ".join(choices)}')


@dataclass(frozen=True, slots=True)
class ScheduleConfig:
    """
    Adam, its rate falling at milestones.

    :param milestones: shares of the run; reconstructed, the paper says no number
    :param decay: of the rate at each
    :param max_queries: of an epoch, drawn anew for each; 0 = all
    """

    learning_rate: float = 1e-3
    milestones: tuple[float, ...] = (0.5, 0.75)
    decay: float = 0.1
    weight_decay: float = 0.0
    num_epochs: int = 40
    max_queries: int = 0

    def __post_init__(self) -> None:
        if self.num_epochs < 1 or self.max_queries < 0:
            raise ValueError(
                f'optimiser.num_epochs is {self.num_epochs} and max_queries {self.max_queries}, '
                'expected at least 1 and 0'
            )


@dataclass(frozen=True, slots=True)
class FourdralConfig:
    """
    One run of a teacher or a student; config/fourdral.yaml holds what it changes.

    :param task: 'l2l', the teacher: LiDAR in LiDAR; 'r2r': 4D radar in 4D radar; 'r2l': 4D radar
        in LiDAR
    :param start: of a student's trunk: reconstructed, the paper does not say
    :param resnet18: file of a state dict of ResNet-18 to start the trunk from; '' = at random
    """

    task: str = 'r2r'
    preprocessing: PreprocessingConfig = field(
        default_factory=lambda: PreprocessingConfig(density=DensityConfig(), num_scans=1)
    )
    network: DensityNetworkConfig = field(default_factory=DensityNetworkConfig)
    batch: PlaceBatchConfig = field(default_factory=PlaceBatchConfig)
    loss: LossWeights = field(default_factory=LossWeights)
    optimiser: ScheduleConfig = field(default_factory=ScheduleConfig)
    start: str = 'scratch'
    resnet18: str = ''
    splits: tuple[str, ...] = ('train',)
    seed: int = 1234
    num_threads: int = 2
    bfloat16: bool = True

    def __post_init__(self) -> None:
        for name, choices in (('task', TASKS_4DRAL), ('start', STARTS)):
            if (given := getattr(self, name)) not in choices:
                raise ValueError(f'{name} is {given!r}; choose from {", ".join(choices)}')
        if self.preprocessing.density is None:
            raise ValueError('preprocessing.density is missing: 4DRaL sees density images')

    @property
    def density(self) -> DensityConfig:
        """How its images are made."""
        assert self.preprocessing.density is not None
        return self.preprocessing.density

    @property
    def turns(self) -> bool:
        """Whether its images are turned in training."""
        is_teacher = self.task == 'l2l'
        return self.batch.turns_teacher if is_teacher else self.batch.turns_students
