# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What can be set in training: one frozen dataclass, its defaults those of training_fixed.yaml."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ssd_ros.bev.polar_bev import CloudBevConfig, ScanBevConfig
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.reading import MAX_YAML_BYTES, read_text
from ssd_ros.records import Record, record_from_mapping
from ssd_ros.training.network_config import NetworkConfig
from ssd_ros.training.schemes import SCHEMES
import yaml

METRIC_LOSSES = ('infonce', 'triplet', 'cross_triplet')


@dataclass(frozen=True, slots=True)
class AugmentationConfig:
    """Reconstructed: how images are varied in training; the papers name no augmentation."""

    mirror_probability: float = 0.5  # of all images of a world in one batch
    yaw_jitter_deg: float = 5.0  # half of the step between the views of a map
    max_cell_dropout: float = 0.3  # share of the student's blocks of 4 x 4 cells set to 0
    sector_probability: float = 0.3  # that something stands before the student
    max_sector_deg: float = 30.0
    min_sector_range_m: float = 5.0
    max_sector_range_m: float = 30.0
    brightness_px: float = 4.0  # standard deviation of an offset to all returns of an image


@dataclass(frozen=True, slots=True)
class BatchConfig:
    """What one step sees; reconstructed."""

    num_places: int = 32  # a student's image and a teacher's view of each
    num_worlds: int = 2  # that the places lie in; negatives of the same world are hard
    num_distractors: int = 8  # teacher's views in any direction, negatives only
    # How far the teacher's panorama of a place may lie ahead or behind, and beside: a lane that
    # is driven the other way lies further off than a place may be long.
    positive_radius_m: float = 3.0
    positive_across_m: float = 3.0
    # Share of places whose teacher's view is the nearest of the same drive, straight ahead: only
    # there do the cells of both images show the same spot, so only these are distilled.
    aligned_share: float = 0.5
    aligned_radius_m: float = 1.5
    # Take the aligned view from another drive instead: what parks or moves there is not taught.
    cross_session: bool = False
    # The papers draw negatives from beyond 25 m and so leave it open whether a query is best
    # matched 2 m or 20 m away, which R@1 within 5 m asks for.
    negative_radius_m: float = 6.0
    cluster_radius_m: float = 100.0  # in which the places of a world lie: neighbours are hard


@dataclass(frozen=True, slots=True)
class LossConfig:
    """
    Which metric loss, and its constants.

    'infonce', the papers' 'triplet', or 'cross_triplet', Radar-to-LiDAR's.
    """

    name: str = 'infonce'
    temperature: float = 0.07  # InfoNCE; reconstructed
    margin_scale: float = 1.0  # triplet, gamma
    num_negatives: int = 5  # triplet, per query
    margin: float = 1.0  # cross_triplet
    # cross_triplet: lose one of the places and blend neighbours, as Radar-to-LiDAR was released.
    blends: bool = False

    def __post_init__(self) -> None:
        if self.name not in METRIC_LOSSES:
            raise ValueError(f'loss.name is {self.name!r}; choose from {", ".join(METRIC_LOSSES)}')
        if self.blends and self.name != 'cross_triplet':
            raise ValueError(f'loss.blends goes with cross_triplet: loss.name is {self.name!r}')


@dataclass(frozen=True, slots=True)
class DistillationConfig:
    """
    Where the student's features are pulled to the teacher's, and how hard.

    The papers give the structure but no number: all defaults are reconstructed (the project's
    method specification, section 15).
    """

    scheme: str = 'none'  # one of SCHEMES
    gap_weight: float = 0.1  # lambda: of cells that only the teacher sees
    tau: float = 0.05  # evidence from which on the student sees a cell
    sigma: float = 1.0  # spread of a return's evidence, in features
    kappa: float = 1.0  # teacher's magnitude, over its mean, from which on there is structure
    feature_weight: float = 1.0  # alpha
    covariance_weight: float = 1.0  # beta
    empty_weight: float = 1 / 6  # feature_mask: of cells that only the student's features claim
    enhancement_weight: float = 1.0  # 4DRaL, as the next two
    imitation_weight: float = 1.0
    relational_weight: float = 1.0
    relational_margin: float = (
        0.01  # 4DRaL: mean squared difference of distances that costs nothing
    )

    def has(self, idea: str) -> bool:
        """Return whether the scheme has one of 4DRaL's ideas, alone or with the others."""
        return self.scheme in (idea, '4dral')

    def __post_init__(self) -> None:
        if self.scheme not in SCHEMES:
            raise ValueError(
                f'distillation.scheme is {self.scheme!r}; choose from {", ".join(SCHEMES)}'
            )
        if not self.sigma > 0:
            raise ValueError(f'distillation.sigma is {self.sigma}, expected more than 0')
        if not 0 <= self.gap_weight <= 1:
            raise ValueError(f'distillation.gap_weight is {self.gap_weight}, expected 0 .. 1')
        if self.relational_margin < 0:
            raise ValueError(
                f'distillation.relational_margin is {self.relational_margin}, expected at least 0'
            )


@dataclass(frozen=True, slots=True)
class OptimiserConfig:
    """AdamW with a cosine from learning_rate to final_learning_rate."""

    learning_rate: float = 1e-3
    final_learning_rate: float = 1e-5
    weight_decay: float = 1e-3
    warmup: float = 0.03  # reconstructed: share of the run in which the rate rises from 0
    num_steps: int = 2000
    forgets: bool = False  # its moments before every step, as Radar-to-LiDAR was released


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """One training run; config/training.yaml holds what the shipped models change."""

    # Simulated and uncalibrated sensors need other thresholds than the papers' 123, for the
    # spinning radar's image must be the denser one, and no correction between the two.
    preprocessing: PreprocessingConfig = field(
        default_factory=lambda: PreprocessingConfig(
            cloud=CloudBevConfig(threshold=109),
            scan=ScanBevConfig(threshold=98, rcs_correction=0.0),
        )
    )
    network: NetworkConfig = field(default_factory=NetworkConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    batch: BatchConfig = field(default_factory=BatchConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    distillation: DistillationConfig = field(default_factory=DistillationConfig)
    # 'joint' trains it with the student, as the papers do; 'frozen' keeps it and the pooling as
    # the run to start from left them.
    teacher: str = 'joint'
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    # Directories of the cache to train on; the windows of way of their 4D images may differ.
    splits: tuple[str, ...] = ('train',)
    max_worlds: int = 0  # to train on, the first ones by name; 0 = all
    # Blocks of 4 x 4 cells with returns that are kept of a 4D image, in training and in judging:
    # a radar that sees little. 0 = all.
    max_returns: int = 0
    seed: int = 0
    num_threads: int = 2
    bfloat16: bool = True  # mixed precision; three times faster where the CPU has it

    def __post_init__(self) -> None:
        for name in ('max_worlds', 'max_returns'):
            if getattr(self, name) < 0:
                raise ValueError(f'{name} is {getattr(self, name)}, expected at least 0')
        if self.teacher not in ('joint', 'frozen'):
            raise ValueError(f'teacher is {self.teacher!r}; choose from joint, frozen')
        if not self.network.has_branches and (
            self.teacher == 'frozen' or self.distillation.scheme != 'none'
        ):
            raise ValueError(
                f'network {self.network.architecture} has one backbone for both sensors: expected '
                'teacher joint and distillation.scheme none'
            )


def load_config(path: Path) -> TrainingConfig:
    """Read the options of a training, see record_from_yaml."""
    return record_from_yaml(path, TrainingConfig)


def record_from_yaml(path: Path, kind: type[Record]) -> Record:
    """
    Read a YAML file; options that it leaves out keep their default.

    :param kind: a dataclass
    :raise ValueError: an option is unknown or has a wrong type, by name
    """
    try:
        values = yaml.safe_load(read_text(path, MAX_YAML_BYTES, 'a configuration'))
    except (RecursionError, yaml.YAMLError) as error:
        raise ValueError(f'{path} is not YAML: {error}') from error
    try:
        return record_from_mapping(kind, values or {})
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error
