# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that can be set in the simulator: worlds, sensors, conditions and who uses which."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ssd_ros.records import LATER
from ssd_ros.simulator.sensors import CloudRadarConfig, LidarConfig, SpinningRadarConfig

# World seeds are divided here and nowhere else. The ranges are disjoint and must never mix:
# a model trained on a world may not be validated, tested or shown on that world.
TRAIN_SEEDS = range(0, 1000)
VALIDATION_SEEDS = range(1000, 1100)
TEST_SEEDS = range(2000, 2100)
DEMO_SEED = 3000
UNIT_SEED = 4000

# A town; places that repeat themselves, where nothing tells where a vehicle is; other towns.
WORLD_STYLES = (
    'town',
    'equal_blocks',
    'car_park',
    'doubled',  # a district and its copy
    'avenue',
    'motorway',
    'tunnel',
    'suburb',
    'industrial',
    'forest_edge',
    'old_town',
    'campus',
)

NATIVE_UPSAMPLING = 4  # from 856 to the 3424 bins of a HeRCULES image


def _require_shares(**shares: float) -> None:
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f'{name} is {share}, expected 0 ... 1')


@dataclass(frozen=True, slots=True)
class WorldConfig:
    """
    What stays the same in all sessions of a place.

    Only towns of all kinds bend; a district that is doubled has one row of blocks and is size_m
    long; the length of a road is that of its route.
    """

    size_m: float = 420.0  # side of the square of streets before it is bent
    route_length_m: float = 1000.0  # wanted length of the closed route; the streets decide
    warp_amplitude_m: float = 12.0  # bends the street grid
    num_facade_templates: int = 3  # few templates make places look alike
    repeat_probability: float = 0.75  # a building is an exact copy of its neighbour
    sensor_specific_db: float = 5.0  # standard deviation of RCS between the two radars
    single_sensor_share: float = 0.15  # scatterers that only one of the radars sees
    style: str = field(default='town', metadata=LATER)  # one of WORLD_STYLES
    # From a district to its copy, edge to edge.
    copy_distance_m: float = field(default=60.0, metadata=LATER)
    # Share of the furniture and plants that each copy lacks; 0 = exact copies.
    copy_changes: float = field(default=0.0, metadata=LATER)

    def __post_init__(self) -> None:
        if not 150 <= self.size_m <= 5000:
            raise ValueError(f'size_m is {self.size_m}, expected 150 ... 5000')
        if not 200 <= self.route_length_m <= 20_000:
            raise ValueError(f'route_length_m is {self.route_length_m}, expected 200 ... 20000')
        if self.num_facade_templates < 1:
            raise ValueError(f'num_facade_templates is {self.num_facade_templates}, expected 1')
        if self.style not in WORLD_STYLES:
            raise ValueError(f'style is {self.style!r}; choose from {", ".join(WORLD_STYLES)}')
        if not 10 <= self.copy_distance_m <= 5000:
            raise ValueError(f'copy_distance_m is {self.copy_distance_m}, expected 10 ... 5000')
        _require_shares(
            copy_changes=self.copy_changes,
            repeat_probability=self.repeat_probability,
            single_sensor_share=self.single_sensor_share,
        )


@dataclass(frozen=True, slots=True)
class Driving:
    """
    How the vehicle moves along its route.

    :param speed_mps: mean speed; None = as in a town, 5 to 6.5 m/s
    :param stand_after_s: time driven before it stands still, 0 = it is parked at the start
    :param stand_s: how long it stands still; it goes on afterwards
    :param is_reverse: the radar looks back at where the vehicle comes from
    """

    speed_mps: float | None = None
    stand_after_s: float = 0.0
    stand_s: float = 0.0
    is_reverse: bool = False

    def __post_init__(self) -> None:
        if self.speed_mps is not None and not 0.05 <= self.speed_mps <= 50:
            raise ValueError(f'speed_mps is {self.speed_mps}, expected 0.05 ... 50')
        for name in ('stand_after_s', 'stand_s'):
            if not 0 <= getattr(self, name) <= 86_400:
                raise ValueError(f'{name} is {getattr(self, name)}, expected 0 ... 86400')


@dataclass(frozen=True, slots=True)
class Conditions:
    """What differs from one session of a place to the next."""

    parked_occupancy: float = 0.6
    truck_probability: float = 0.12
    lead_probability: float = 0.7  # that a vehicle drives ahead
    num_vehicles: int = 28
    num_pedestrians: int = 25
    change_fraction: float = 0.06  # of the furniture and plants, against session 0
    rain_mm_per_h: float = 0.0
    snow_mm_per_h: float = 0.0  # wet snow, as water
    cover_loss_db: float = 0.0  # both ways through slush on the 4D radar's cover
    leaf_db: float = 0.0  # RCS of plants; winter -3 ... -6
    cloud_gain_db: float = 0.0
    cloud_yaw_deg: float = 0.0  # mounting error of the 4D radar
    lateral_std_m: float = 0.4
    opposite_direction: bool = False
    spinning: SpinningRadarConfig = field(default_factory=SpinningRadarConfig)
    cloud: CloudRadarConfig = field(default_factory=CloudRadarConfig)
    driving: Driving = field(default=Driving(), metadata=LATER)
    lidar: LidarConfig = field(default=LidarConfig(), metadata=LATER)
    fog_visibility_m: float = field(default=0.0, metadata=LATER)  # 0 = no fog
    # For training: noise and fluctuation are parts of what was drawn once, and what is hidden is
    # found for sight lines .2 degrees apart instead of for every scatterer.
    is_quick: bool = field(default=False, metadata=LATER)

    def __post_init__(self) -> None:
        _require_shares(
            parked_occupancy=self.parked_occupancy,
            truck_probability=self.truck_probability,
            lead_probability=self.lead_probability,
            change_fraction=self.change_fraction,
        )
        for name in ('rain_mm_per_h', 'snow_mm_per_h'):
            if not 0 <= getattr(self, name) <= 200:
                raise ValueError(f'{name} is {getattr(self, name)}, expected 0 ... 200')
        if self.fog_visibility_m != 0 and not 5 <= self.fog_visibility_m <= 100_000:
            raise ValueError(
                f'fog_visibility_m is {self.fog_visibility_m}, expected 0 (no fog) or 5 ... 100000'
            )


@dataclass(frozen=True, slots=True)
class Preset:
    """
    A data set to simulate.

    :param seeds: seeds of the worlds
    :param num_scans: keep only the first spinning scans, None = the whole lap
    :param num_clouds: keep only the first 4D scans, None = the whole lap
    :param from_start: all sessions start where session 0 starts
    :param is_native: spinning images with the 3424 range bins of the real sensor
    :param lidar_rate_hz: 0 = the drive has no LiDAR
    :param num_lidar_scans: keep only the first, None = the whole lap
    """

    world: WorldConfig
    seeds: tuple[int, ...]
    num_sessions: int
    scan_rate_hz: float = 4.0
    cloud_rate_hz: float = 20.0
    num_scans: int | None = None
    num_clouds: int | None = None
    from_start: bool = False
    is_native: bool = False
    lidar_rate_hz: float = field(default=0.0, metadata=LATER)
    num_lidar_scans: int | None = field(default=None, metadata=LATER)


PRESETS = {
    'unit': Preset(
        WorldConfig(size_m=230.0, route_length_m=400.0),
        seeds=(UNIT_SEED,),
        num_sessions=2,
        num_scans=12,
        num_clouds=60,
        from_start=True,
    ),
    'demo': Preset(WorldConfig(route_length_m=400.0), (DEMO_SEED,), num_sessions=2),
    'bench': Preset(WorldConfig(), (*TRAIN_SEEDS[:10], *TEST_SEEDS[:2]), num_sessions=3),
    'native': Preset(WorldConfig(), (TEST_SEEDS[2],), num_sessions=3, is_native=True),
}

_DEFAULT = Conditions()
DIFFICULTIES = {
    'easy': replace(
        _DEFAULT,
        lead_probability=0.0,
        truck_probability=0.0,
        parked_occupancy=0.3,
        cloud=replace(_DEFAULT.cloud, height_m=1.6),
    ),
    'default': _DEFAULT,
    'hard': replace(
        _DEFAULT,
        parked_occupancy=0.75,
        truck_probability=0.25,
        lateral_std_m=0.8,
        change_fraction=0.15,
        rain_mm_per_h=8.0,
        cloud=replace(_DEFAULT.cloud, snr_db=14.0),
    ),
}
# Night is as day to all of these sensors. Rain as the American Meteorological Society classes it.
WEATHERS: dict[str, dict[str, float]] = {
    'clear': {},
    'night': {},
    'moderate_rain': {'rain_mm_per_h': 5.0},
    'heavy_rain': {'rain_mm_per_h': 25.0},
    'wet_snow': {'snow_mm_per_h': 4.0, 'cover_loss_db': 4.0},
    'fog': {'fog_visibility_m': 100.0},
}
_TURNED_SESSION = 2  # of `hard`: driven the other way round


def in_weather(conditions: Conditions, weather: str) -> Conditions:
    """
    Return the conditions in a weather of WEATHERS instead of their own.

    :raise ValueError: there is none of that name
    """
    if weather not in WEATHERS:
        raise ValueError(f'no weather {weather!r}; choose from {", ".join(WEATHERS)}')
    names = {name for changes in WEATHERS.values() for name in changes}
    changes = dict.fromkeys(names, 0.0) | WEATHERS[weather]
    return replace(conditions, **changes)  # type: ignore[arg-type]


def conditions_of(
    difficulty: str, session: int, rain_mm_per_h: float | None = None, is_native: bool = False
) -> Conditions:
    """
    Return the conditions of one session of a data set.

    :param rain_mm_per_h: instead of the rain of the difficulty
    """
    if difficulty not in DIFFICULTIES:
        raise ValueError(f'no difficulty {difficulty!r}; choose from {", ".join(DIFFICULTIES)}')
    conditions = DIFFICULTIES[difficulty]
    if difficulty == 'hard' and session == _TURNED_SESSION:
        conditions = replace(conditions, opposite_direction=True)
    if rain_mm_per_h is not None:
        conditions = replace(conditions, rain_mm_per_h=rain_mm_per_h)
    upsampling = NATIVE_UPSAMPLING if is_native else 1
    spinning = replace(conditions.spinning, upsampling=upsampling)
    return replace(conditions, spinning=spinning)
