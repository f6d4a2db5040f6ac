# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parameters that say what arrives, from how many radars, and how it is to be read."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from ssd_ros.datasets.spinning import messages as turns
from ssd_ros.datasets.spinning.preset import PRESETS, SpinningPreset
from ssd_ros.radar.fields import ANGLE_UNITS, DecoderConfig, INTENSITY_KINDS
from ssd_ros.radar.messages import MESSAGE_TYPES
from ssd_ros.ros.parameters.options import option

_NUM_OF_POSE = 6


def _name_of(role: str) -> str:
    name: str = option('', f'field with the {role}; empty = by the known names', read_only=True)
    return name


@dataclass(frozen=True, slots=True)
class FieldMapParameters:
    """Which field is what, where a driver's names are not among the known ones."""

    x: str = _name_of('x (m)')
    y: str = _name_of('y (m)')
    z: str = _name_of('z (m)')
    doppler: str = _name_of('range rate (m/s)')
    intensity: str = _name_of('RCS, SNR or power')
    range: str = _name_of('range (m)')
    azimuth: str = _name_of('azimuth, counter-clockwise')
    elevation: str = _name_of('elevation')


@dataclass(frozen=True, slots=True)
class SpinningParameters:
    """How the messages of a spinning radar are laid out."""

    preset: str = option(
        turns.AUTO,
        'source of the messages of a spinning radar; auto = what such messages mostly are: an '
        'image has 400 azimuths and reaches 150 m',
        choices=(turns.AUTO, *PRESETS),
        read_only=True,
    )
    range_resolution: float = option(
        0.0,
        'depth of a bin of a spinning radar (m); 0 = that of the preset',
        low=0.0,
        high=10.0,
        read_only=True,
    )


@dataclass(frozen=True, slots=True)
class RadarTopic:
    """
    One radar of the vehicle.

    :param frame_override: its frame, instead of that of its messages; empty = theirs
    :param extrinsics: x, y, z, roll, pitch, yaw in the base frame; None = TF must know
    """

    name: str
    frame_override: str
    extrinsics: tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class InputParameters:
    """The part of the node's parameters that concerns its input."""

    input_type: str = option(
        'auto',
        'type of the messages; auto = of a 4D radar, of whoever publishes, PointCloud2 until '
        'somebody does; polar_image, polar_points, b_scan and fft_data are of a spinning radar: '
        'whole turns, found in maps of a spinning radar or of submaps',
        choices=('auto', *MESSAGE_TYPES, *turns.MESSAGE_TYPES),
        read_only=True,
    )
    input_topics: tuple[str, ...] = option(
        ('points',),
        'topics of the 4D radars; a query is made of the first, to which the others add what '
        'they see in its field of view; or the one of a spinning radar',
        read_only=True,
    )
    frame_override: tuple[str, ...] = option(
        ('',),
        'frame of each radar, one for each of input_topics, where the messages name none or all '
        'the same; empty = that of the messages',
        read_only=True,
    )
    radar_extrinsics: tuple[float, ...] = option(
        (0.0,) * _NUM_OF_POSE,
        'x, y, z (m), roll, pitch, yaw (rad) in base_frame of each radar, six numbers for each '
        'of input_topics, used while TF does not know it; radars without must be in TF; clouds '
        'are turned level by roll and pitch',
        read_only=True,
        repeats=True,
    )
    spinning: SpinningParameters = field(default_factory=SpinningParameters)
    field_map: FieldMapParameters = field(default_factory=FieldMapParameters)
    intensity_kind: str = option(
        'auto',
        'what the intensity is; all but rcs_* are put on the scale of RCS scan by scan: dB by '
        'their median, raw by rank; auto = by name and type of the field',
        choices=INTENSITY_KINDS,
        read_only=True,
    )
    angle_unit: str = option(
        'auto',
        'of clouds without x, y, z; auto = degrees for bearing and where one exceeds 2 pi',
        choices=ANGLE_UNITS,
        read_only=True,
    )
    doppler_sign: int = option(
        1,
        '-1 for a driver whose velocity is positive towards the radar',
        choices=(-1, 1),
        read_only=True,
    )
    min_range: float = option(
        0.0, 'nearer points are dropped (m)', low=0.0, high=100.0, read_only=True
    )
    stamp_source: str = option(
        'auto',
        'time of scans and odometry: header = of the messages, receive = of their arrival, auto = '
        'of the messages until those of an input are 0 or off by more than max_stamp_skew',
        choices=('header', 'receive', 'auto'),
    )
    max_stamp_skew: float = option(
        2.0, 'largest believable age of a message (s), for stamp_source auto', low=0.0, high=10.0
    )
    stamp_offset: float = option(
        0.0,
        'added to the stamps of all scans and odometry (s), where their clock is not that of TF '
        'and the back end; -37 for TAI among UTC',
        low=-4e9,
        high=4e9,
    )
    qos_reliability: str = option(
        'best_effort',
        'of the subscriptions; best_effort matches every publisher, reliable only reliable ones; '
        'auto = reliable if all publishers are',
        choices=('auto', 'best_effort', 'reliable'),
        read_only=True,
    )

    def __post_init__(self) -> None:
        num_topics = len(self.input_topics)
        if '' in self.input_topics or len(set(self.input_topics)) < num_topics:
            raise ValueError(
                f'parameter input_topics is {list(self.input_topics)}, expected different names'
            )
        if self.sensor == 'spinning':
            self._check_turns()
        if self.frame_override != ('',) and len(self.frame_override) != num_topics:
            raise ValueError(
                f'parameter frame_override has {len(self.frame_override)} frames, expected '
                f"{num_topics}, one for each of input_topics ('' = that of the messages)"
            )
        num_poses = len(self.radar_extrinsics) // _NUM_OF_POSE
        if num_poses not in (1, num_topics):
            raise ValueError(
                f'parameter radar_extrinsics has {len(self.radar_extrinsics)} numbers, expected '
                f'{_NUM_OF_POSE * num_topics}, six for each of input_topics'
            )

    def _check_turns(self) -> None:
        if len(self.input_topics) > 1:
            raise ValueError(
                f'parameter input_topics has {len(self.input_topics)} names, expected the one of '
                f'a spinning radar, as input_type {self.input_type} says'
            )
        try:
            self.spinning_preset()
        except ValueError as error:
            raise ValueError(f'parameter spinning.preset: {error}') from error

    @property
    def sensor(self) -> str:
        """Of which radar the messages are, '4d' or 'spinning'."""
        return 'spinning' if self.input_type in turns.MESSAGE_TYPES else '4d'

    def spinning_preset(self) -> SpinningPreset:
        """Return how turns are laid out; there must be some."""
        spinning = self.spinning
        return turns.preset_of(self.input_type, spinning.preset, spinning.range_resolution)

    def radar_topics(self) -> tuple[RadarTopic, ...]:
        """Return the radars, the primary one first."""
        frames = self.frame_override * len(self.input_topics)
        poses = [
            self.radar_extrinsics[start : start + _NUM_OF_POSE]
            for start in range(0, len(self.radar_extrinsics), _NUM_OF_POSE)
        ]
        return tuple(
            RadarTopic(name, frames[index], poses[index] if index < len(poses) else None)
            for index, name in enumerate(self.input_topics)
        )

    def decoder_config(self) -> DecoderConfig:
        """Return how messages are to be read."""
        names = {item.name: getattr(self.field_map, item.name) for item in fields(self.field_map)}
        return DecoderConfig(
            field_map={role: name for role, name in names.items() if name},
            doppler_sign=self.doppler_sign,
            angle_unit=self.angle_unit,
            intensity_kind=self.intensity_kind,
            min_range_m=self.min_range,
        )
