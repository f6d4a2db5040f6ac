# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the drives of the benchmark of shift come from: simulated once, changed at will."""

from __future__ import annotations

from dataclasses import dataclass
import hashlib
import json
from pathlib import Path

from ssd_ros.cli.cache.drives import SimulatedDrive
from ssd_ros.cli.common.parallel import Report
from ssd_ros.cli.common.settings_file import settle
from ssd_ros.cli.trust.asked.jobs import OTHER_SETTINGS
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.records import settings_of
from ssd_ros.simulator.shift.drives import ChangedDrive, Clouds, DriveChange
from ssd_ros.simulator.shift.maps import BrighterDrive, MapChange


@dataclass(frozen=True, slots=True)
class PlainDrive(SimulatedDrive):
    """
    A simulated drive.

    :param brightness_px: added to the pixels of the spinning radar
    """

    brightness_px: int = 0

    @property
    def digest(self) -> str:
        """What tells it from others of its name."""
        lidar = ('LiDAR',) if self.has_lidar else ()
        return _digest(self.place.digest(self.visit), self.brightness_px, *lidar)

    def open(self) -> RadarSequence:
        """Build the world and the session."""
        drive = SimulatedDrive(self.place, self.visit, has_lidar=self.has_lidar).open()
        return BrighterDrive(drive, self.brightness_px) if self.brightness_px else drive


@dataclass(frozen=True, slots=True)
class StoredDrive:
    """
    The scans of the 4D radar of a simulated drive, which is made once.

    :param path: file of the scans
    """

    path: Path
    drive: PlainDrive


def store(stored: StoredDrive, report: Report) -> None:
    """Simulate a drive that is not on disk yet."""
    settle(stored.path.with_name('settings.json'), {'source': stored.drive.digest}, OTHER_SETTINGS)
    if not stored.path.exists():
        Clouds.of(stored.drive.open(), report).save(stored.path)


@dataclass(frozen=True, slots=True)
class ShiftedDrive:
    """
    A drive of another radar, made of scans on disk.

    :param key: what random numbers are drawn for
    """

    stored: StoredDrive
    change: DriveChange
    key: str

    @property
    def digest(self) -> str:
        """What tells it from other drives of its name."""
        return _digest(self.stored.drive.digest, settings_of(self.change), self.key)

    def open(self) -> RadarSequence:
        """Read the scans."""
        return ChangedDrive(Clouds.load(self.stored.path), self.change, self.key)


@dataclass(frozen=True, slots=True)
class ChangedMap:
    """
    A map that is made of another one.

    :param key: what random numbers are drawn for
    """

    plain: Path
    path: Path
    change: MapChange
    key: str


def change_map(changed: ChangedMap, report: Report) -> None:
    """Make a map that is not on disk yet."""
    digest = {'source': _digest(settings_of(changed.change), changed.key)}
    settle(changed.path.with_name('settings.json'), digest, OTHER_SETTINGS)
    report(0, 1)
    if not changed.path.exists():
        changed.change.of(PlaceDatabase.load(changed.plain), changed.key).save(changed.path)
    report(1, 1)


def _digest(*settings: object) -> str:
    """Return 64 hexadecimal digits that change with any of the settings."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
