# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What a model file says about itself, so that its user has no option to get wrong.

The contract holds everything that the caller must do as in training.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
import json
import re
from typing import Any, NamedTuple

from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.records import check_limits, Limits, record_from_mapping, settings_of, shortened

CONTRACT_KEY = 'ssd_ros.contract'
MODEL_MARK = re.escape(CONTRACT_KEY.encode())  # of the files that carry it
FORMAT_VERSION = 4
# Earlier ones lack options that came later, marked LATER: there they mean their defaults.
READABLE_VERSIONS = (2, 3, FORMAT_VERSION)
MAX_GRID_CELLS = 1 << 22
MAX_DESCRIPTOR_SIZE = 1 << 14


_LIMITS = {
    'descriptor_size': Limits(1, MAX_DESCRIPTOR_SIZE),
    'accept_max_distance': Limits(0, 1e3, is_above=True),
    'accept_max_ratio': Limits(0, 1e9, is_above=True),
}


class Sensor(NamedTuple):
    """What a model of this sensor is and what its ends are called."""

    description: str
    input_name: str
    output_name: str


SENSORS = {
    '4d': Sensor('student, 4D radar', 'polar_bev', 'descriptor'),
    'spinning': Sensor('teacher, spinning radar', 'panorama', 'descriptors'),
    'lidar': Sensor('LiDAR', 'panorama', 'descriptors'),
}
_OF_DENSITY = 'density_image', 'descriptor'  # the ends of a model of density images


@dataclass(frozen=True, slots=True)
class ModelContract:
    """
    What an ONNX model expects and promises; JSON under `ssd_ros.contract` in its metadata.

    :param sensor: '4d' (student: a polar BEV in, its descriptor out) or 'spinning' or 'lidar'
        (teacher: a panorama in, a descriptor for each of its views out); with density images all
        have one image in, its descriptor out
    :param num_views: descriptors of one image, 1 where that is one view
    :param descriptor_space: 64 hexadecimal digits shared by the student and the teacher of one
        training run; only descriptors of the same space can be compared
    :param accept_max_distance: a candidate nearer than this is accepted, calibrated in validation
    :param accept_max_ratio: likewise, of its distance to that of the best far-away alternative
    :param training_data: in words
    :param commit: of the code that trained the model
    :param created: ISO 8601 date
    """

    format_version: int
    sensor: str
    preprocessing: PreprocessingConfig
    num_views: int
    descriptor_size: int
    descriptor_space: str
    accept_max_distance: float
    accept_max_ratio: float
    training_data: str
    commit: str
    created: str

    def __post_init__(self) -> None:
        if self.sensor not in SENSORS:
            raise ValueError(
                f'sensor is {shortened(self.sensor)}; choose from {", ".join(SENSORS)}'
            )
        grid = self.preprocessing.grid
        if grid.num_ranges * grid.panorama_azimuths > MAX_GRID_CELLS:
            raise ValueError(
                f'preprocessing.grid has {grid.num_ranges} x {grid.panorama_azimuths} around, '
                f'more cells than the {MAX_GRID_CELLS} that are supported'
            )
        self._check_views()
        if not re.fullmatch('[0-9a-f]{64}', self.descriptor_space):
            raise ValueError(
                f'descriptor_space is {shortened(self.descriptor_space)}, expected 64 hexadecimal '
                'digits'
            )
        check_limits(self, _LIMITS)

    def _check_views(self) -> None:
        num_columns = self.preprocessing.grid.panorama_azimuths
        if self.is_one_view and self.num_views != 1:
            raise ValueError(
                f'num_views is {self.num_views}, expected 1 for one view of sensor {self.sensor}'
            )
        if self.num_views < 1 or num_columns % self.num_views:
            raise ValueError(
                f'num_views is {self.num_views}, which does not divide the {num_columns} columns '
                'of a panorama'
            )

    def encodes(self, sensor: str) -> bool:
        """
        Return whether a model is for the images of a sensor.

        Panoramas of a LiDAR look like those of a spinning radar: a model that was trained on
        these takes them, too.
        """
        is_like_it = sensor == 'lidar' and self.sensor == 'spinning' and not self.is_one_view
        return sensor == self.sensor or is_like_it

    @property
    def is_one_view(self) -> bool:
        """Whether an image is one view, and not a panorama of many."""
        return self.sensor == '4d' or self.preprocessing.density is not None

    @property
    def ends(self) -> tuple[str, str]:
        """Names of the model's input and output."""
        if self.preprocessing.density is not None:
            return _OF_DENSITY
        return SENSORS[self.sensor][1:]

    @property
    def input_shape(self) -> tuple[int, int]:
        """Rows and columns of one image."""
        if self.is_one_view:
            return self.preprocessing.image_shape
        grid = self.preprocessing.grid
        return grid.num_ranges, grid.panorama_azimuths

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of what the model gives for one image."""
        size = (self.descriptor_size,)
        return size if self.is_one_view else (self.num_views, *size)

    def to_json(self) -> str:
        """Return the text that belongs into the metadata of the model."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ModelContract:
        """
        Read the metadata of a model.

        A file of an earlier format may lack the options that came later, see LATER; it then means
        their defaults.

        :raise ValueError: a field is unknown, missing (nested ones too: defaults may change
            between versions) or has a wrong type or value
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f'contract is not JSON: {error}') from error
        # First: another version has other fields.
        version = values.get('format_version') if isinstance(values, dict) else None
        if version is not None and version not in READABLE_VERSIONS:
            readable = ', '.join(map(str, READABLE_VERSIONS))
            raise ValueError(
                f'format_version is {shortened(version)}, this ssd_ros reads {readable}: '
                'export the model again'
            )
        contract = record_from_mapping(cls, values)
        is_newest = contract.format_version == FORMAT_VERSION
        expected = asdict(contract) if is_newest else settings_of(contract)
        if missing := first_missing(expected, values):
            raise ValueError(f'contract lacks {missing}')
        return contract


def first_missing(expected: dict[str, Any], given: dict[str, Any]) -> str:
    """Return the dotted name of a field that the given mapping lacks, '' if there is none."""
    for name, value in expected.items():
        if name not in given:
            return name
        if isinstance(value, dict) and (deeper := first_missing(value, given[name])):
            return f'{name}.{deeper}'
    return ''
