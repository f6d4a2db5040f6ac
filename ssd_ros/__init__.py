# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Heterogeneous radar place recognition: 4D radar queries in a spinning-radar map.

What a program needs to build maps and to find places in them stands here under one name; it is
imported when it is first used. Within the package each module names the one that it needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssd_ros.datasets.formats.open_sequence import open_sequence as open_sequence
    from ssd_ros.encoders.place_encoder import open_encoder as open_encoder
    from ssd_ros.maps.builder import build_database as build_database
    from ssd_ros.maps.cells.database import open_map as open_map
    from ssd_ros.maps.place_database import PlaceDatabase as PlaceDatabase
    from ssd_ros.radar.types import RadarPointCloud as RadarPointCloud
    from ssd_ros.radar.types import SpinningRadarScan as SpinningRadarScan
    from ssd_ros.recognition.answer import RecognizerConfig as RecognizerConfig
    from ssd_ros.recognition.answer import SensorPose as SensorPose
    from ssd_ros.recognition.place_recognizer import PlaceRecognizer as PlaceRecognizer
    from ssd_ros.shared_files import shared_file as shared_file

__version__ = '0.1.0'
# By name: where it is.
_MODULES = {
    'PlaceDatabase': 'ssd_ros.maps.place_database',
    'PlaceRecognizer': 'ssd_ros.recognition.place_recognizer',
    'RadarPointCloud': 'ssd_ros.radar.types',
    'RecognizerConfig': 'ssd_ros.recognition.answer',
    'SensorPose': 'ssd_ros.recognition.answer',
    'SpinningRadarScan': 'ssd_ros.radar.types',
    'build_database': 'ssd_ros.maps.builder',
    'open_encoder': 'ssd_ros.encoders.place_encoder',
    'open_map': 'ssd_ros.maps.cells.database',
    'open_sequence': 'ssd_ros.datasets.formats.open_sequence',
    'shared_file': 'ssd_ros.shared_files',
}
__all__ = list(_MODULES)

if not TYPE_CHECKING:  # else a checker would take every name for one that is there

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
        found = globals()[name] = getattr(import_module(_MODULES[name]), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
