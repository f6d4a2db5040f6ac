# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that can be set in the pose graph; all values are reconstructed."""

from __future__ import annotations

from dataclasses import dataclass, field
import math


@dataclass(frozen=True, slots=True)
class EdgeNoise:
    """What is added to a row's own covariance, and what takes its place; reconstructed."""

    position_std_m: float = 0.2  # added: what neighbouring queries get wrong alike
    yaw_std_rad: float = 0.01  # added
    unverified_std_m: float = 3.0  # of a row without a pose of its own: only "near the keyframe"

    def __post_init__(self) -> None:
        for name in ('position_std_m', 'yaw_std_rad', 'unverified_std_m'):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f'{name} is {getattr(self, name)}, expected more than 0')


@dataclass(frozen=True, slots=True)
class ConsensusConfig:
    """
    When candidates are believed; the values are reconstructed.

    Disagreement and shift are chi-squares of three degrees of freedom; with both infinite, every
    candidate is believed and left to the robust loss.
    """

    max_disagreement: float = 30.7  # of two candidates that agree; right ones exceed it in 1e-6
    max_shift: float = 16.3  # of one against odometry alone; right ones exceed it in 1e-3
    support_weight: float = 6.0  # what e times as many candidates make up for
    margin: float = 1.0  # by which others must be better to take the place of the believed ones
    odometry_scale_std: float = 0.015  # share by which all distances may be too long alike
    min_fixes: int = 5  # that agree, before a map or a new segment of the odometry has its place

    def __post_init__(self) -> None:
        for name in ('max_disagreement', 'max_shift', 'support_weight'):
            if not getattr(self, name) > 0:
                raise ValueError(f'{name} is {getattr(self, name)}, expected more than 0')
        for name in ('margin', 'odometry_scale_std'):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f'{name} is {getattr(self, name)}, expected 0 or more')
        if self.min_fixes < 1:
            raise ValueError(f'min_fixes is {self.min_fixes}, expected at least 1')


@dataclass(frozen=True, slots=True)
class PoseGraphConfig:
    """
    Weights of the graph; the values are reconstructed.

    :param radar_in_base: x, y in metres and yaw in radians of the radar that makes the keyframes
        of the live session
    """

    node_spacing_m: float = 2.0
    odometry_std_m: float = 0.1  # after one metre, then with its root; 1.5 % of scale fit in
    odometry_yaw_std_rad: float = 0.005  # likewise
    robust_width: float = 1.0  # standard deviations from which on a candidate loses weight
    noise: EdgeNoise = field(default_factory=EdgeNoise)
    consensus: ConsensusConfig = field(default_factory=ConsensusConfig)
    radar_in_base: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        for name in ('node_spacing_m', 'odometry_std_m', 'odometry_yaw_std_rad', 'robust_width'):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f'{name} is {getattr(self, name)}, expected more than 0')
        if not all(map(math.isfinite, self.radar_in_base)):
            raise ValueError(f'radar_in_base is {self.radar_in_base}, expected finite numbers')


DEFAULT_CONFIG = PoseGraphConfig()
