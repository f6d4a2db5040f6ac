# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sizes of the networks, and the named ones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
import math

ARCHITECTURES = ('resnet', 'autoplace', 'radar_to_lidar')
SPECTRUM_SIDE = 32  # of Radar-to-LiDAR's descriptor
STEMS = ('convolution', 'patches')
BLOCKS = ('residual', 'merged')
TASKS_4DRAL = ('l2l', 'r2r', 'r2l')
BRANCHES = ('dual', 'single')


@dataclass(frozen=True, slots=True)
class HolmesLevelConfig:
    """Sizes of one level of HOLMES (m, l, s, d in the paper)."""

    num_clusters: int
    cluster_size: int
    token_size: int
    descriptor_size: int


@dataclass(frozen=True, slots=True)
class CartesianConfig:
    """The square ahead of the radar that AutoPlace sees; reconstructed, papers differ."""

    side_m: float = 100.0
    num_cells: int = 200  # along a side

    def __post_init__(self) -> None:
        if not (self.side_m > 0 and self.num_cells > 0):
            raise ValueError(f'no image has {self.num_cells} cells on {self.side_m} m')

    @property
    def cell_m(self) -> float:
        """Side of a cell."""
        return self.side_m / self.num_cells


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """
    Sizes of the backbone, one entry per stage, and of the pooling.

    AutoPlace takes from it channels, input_scale, num_views and cartesian, nothing else;
    Radar-to-LiDAR channels, input_scale and num_views.
    """

    architecture: str = 'resnet'  # one of ARCHITECTURES
    channels: tuple[int, ...] = (32, 64, 128)
    num_blocks: tuple[int, ...] = (1, 1, 1)
    strides: tuple[int, ...] = (1, 2, 1)  # after the stem's 4
    # One of STEMS: 7x7 at stride 2 and a maximum, as in ResNet-18, or 4x4 cells at once.
    stem: str = 'convolution'
    # One of BLOCKS: that of ResNet-18, or one convolution that is trained as three.
    block: str = 'residual'
    input_scale: float = 1 / 255  # the paper feeds raw pixels
    position_octaves: int = 4  # reconstructed: waves that tell range and azimuth; 0 = the papers
    position_spread: float = 2.0  # reconstructed: of the clusters' first preferences for a region
    # Reconstructed: image columns beside a teacher's view that its convolutions see as well, as
    # they do where a whole panorama is encoded. A feature of `edge` sees 41 to either side.
    teacher_margin: int = 48
    num_views: int = 36  # of a panorama
    hidden_size: int = 256
    learns_power: bool = True  # of the mean behind the token; False keeps the cube
    sinkhorn_iterations: int = 3
    mid: HolmesLevelConfig = field(default_factory=lambda: HolmesLevelConfig(64, 128, 256, 256))
    two_levels: bool = False  # True adds `high`
    high: HolmesLevelConfig = field(default_factory=lambda: HolmesLevelConfig(16, 64, 64, 64))
    cartesian: CartesianConfig = field(default_factory=CartesianConfig)

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            raise ValueError(
                f'network.architecture is {self.architecture!r}; choose from '
                f'{", ".join(ARCHITECTURES)}'
            )
        for name, choices in (('stem', STEMS), ('block', BLOCKS)):
            if (given := getattr(self, name)) not in choices:
                raise ValueError(f'network.{name} is {given!r}; choose from {", ".join(choices)}')
        if not self.has_branches and self.teacher_margin:
            raise ValueError(
                f'network.teacher_margin is {self.teacher_margin}, expected 0: '
                f'{self.architecture} sees a view by itself'
            )
        if any(
            num == 0 and stride > 1
            for num, stride in zip(self.num_blocks, self.strides, strict=False)
        ):
            raise ValueError(
                f'network.strides is {list(self.strides)}, expected 1 for stages without blocks'
            )
        if self.descriptor_size < 1:
            raise ValueError(
                f'network.cartesian.num_cells is {self.cartesian.num_cells}, expected at least '
                f'{2 ** (len(self.channels) + 1)} for {len(self.channels)} stages'
            )

    @property
    def has_branches(self) -> bool:
        """Whether each sensor has its own backbone; the baselines have one for both."""
        return self.architecture == 'resnet'

    @property
    def stride(self) -> int:
        """Image cells from one feature to the next."""
        return 4 * math.prod(self.strides)

    @property
    def descriptor_size(self) -> int:
        """Length of the whole descriptor."""
        if self.architecture == 'radar_to_lidar':
            return SPECTRUM_SIDE**2
        if self.architecture == 'autoplace':
            features = self.cartesian.num_cells // 2 ** (len(self.channels) + 1)
            return self.channels[-1] * features**2
        return self.mid.descriptor_size + self.two_levels * self.high.descriptor_size


@dataclass(frozen=True, slots=True)
class DensityNetworkConfig:
    """
    Sizes and parts of an encoder of density images.

    :param width: channels of the trunk's first stage, a multiple of 4; ResNet-18 has 64
    :param enhances: whether a student redraws its images first
    :param is_residual: reconstructed: whether what it draws is added to the image
    :param imitates: tasks whose students add what they imitate of the teacher's features; in
        LiDAR maps, the paper found, it does harm
    :param branch: 'dual' adds that to its own features, 'single' (reconstructed) takes it alone
    :param input_scale: of uint8 pixels; the released code divides by 256
    """

    width: int = 64
    enhances: bool = True
    is_residual: bool = False
    imitates: tuple[str, ...] = ('r2r',)
    branch: str = 'dual'
    input_scale: float = 1 / 255

    def __post_init__(self) -> None:
        if self.width < 4 or self.width % 4:
            raise ValueError(f'network.width is {self.width}, expected a multiple of 4')
        if unknown := sorted({*self.imitates} - {*TASKS_4DRAL[1:]}):
            raise ValueError(
                f'network.imitates has {unknown[0]!r}; choose from {", ".join(TASKS_4DRAL[1:])}'
            )
        if self.branch not in BRANCHES:
            raise ValueError(
                f'network.branch is {self.branch!r}; choose from {", ".join(BRANCHES)}'
            )

    def of_task(self, task: str) -> DensityNetworkConfig:
        """Return the parts that the network of a task has, one of TASKS_4DRAL."""
        return replace(
            self,
            enhances=self.enhances and task != 'l2l',
            imitates=(task,) if task in self.imitates else (),
        )


NETWORKS = {
    'edge': NetworkConfig(),
    'paper': NetworkConfig(
        channels=(64, 128, 256, 512),
        num_blocks=(2, 2, 2, 2),
        strides=(1, 2, 1, 1),
        input_scale=1.0,
        position_octaves=0,
        hidden_size=512,
        mid=HolmesLevelConfig(64, 256, 256, 256),
        two_levels=True,
    ),
    'autoplace': NetworkConfig(
        architecture='autoplace',
        channels=(64, 128, 256, 256),
        teacher_margin=0,
        num_views=6,
    ),
}
NETWORKS['radar_to_lidar'] = replace(
    NETWORKS['autoplace'], architecture='radar_to_lidar', channels=(64, 128, 256, 256)
)
NETWORKS['sherloc'] = replace(NETWORKS['paper'], strides=(1, 2, 2, 2))
# A third of the time of `edge`. A feature sees at most 20 columns beside its own.
NETWORKS['fast'] = NetworkConfig(
    channels=(32, 64),
    num_blocks=(0, 3),
    strides=(1, 2),
    stem='patches',
    block='merged',
    teacher_margin=24,
    hidden_size=64,
    learns_power=False,
    mid=HolmesLevelConfig(64, 96, 256, 256),
)
