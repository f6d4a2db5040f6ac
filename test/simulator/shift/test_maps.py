# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check maps that are made otherwise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.simulator.shift.maps import BrighterDrive, MapChange
from support.posts import small_encoder, straight_drive


@pytest.fixture(scope='module')
def plain(tmp_path_factory: pytest.TempPathFactory) -> PlaceDatabase:
    """Return a map of 60 keyframes, 2 m apart."""
    encoder = small_encoder(tmp_path_factory.mktemp('encoder'), 'spinning')
    return build_database(straight_drive(num=60, step_m=2.0), encoder)


def test_every_other_keyframe_is_left(plain: PlaceDatabase, tmp_path: Path) -> None:
    MapChange(keyframe_distance_m=4.0).of(plain, 'wide').save(tmp_path / 'wide.map')
    wide = PlaceDatabase.load(tmp_path / 'wide.map')
    assert (len(plain), len(wide)) == (60, 30)
    np.testing.assert_array_equal(wide.keyframes.positions_m, plain.keyframes.positions_m[::2])
    np.testing.assert_array_equal(wide.returns_cm, plain.returns_cm[::2])
    views = plain.info.num_views
    np.testing.assert_array_equal(wide.descriptors()[views], plain.descriptors()[2 * views])
    assert wide.map_id != plain.map_id


def test_poses_are_off_by_two_metres_each_by_itself(plain: PlaceDatabase) -> None:
    off = MapChange(position_error_m=2.0).of(plain, 'off')
    error_m = off.keyframes.positions_m - plain.keyframes.positions_m
    assert np.sqrt((error_m**2).sum(axis=1).mean()) == pytest.approx(2, abs=0.4)
    assert abs(np.corrcoef(error_m[1:, 0], error_m[:-1, 0])[0, 1]) < 0.4
    np.testing.assert_array_equal(off.keyframes.yaws_rad, plain.keyframes.yaws_rad)
    np.testing.assert_array_equal(off.descriptors(), plain.descriptors())
    again = MapChange(position_error_m=2.0).of(plain, 'off')
    np.testing.assert_array_equal(again.keyframes.positions_m, off.keyframes.positions_m)


def test_a_brighter_radar_adds_to_all_pixels_and_ends_at_255() -> None:
    drive = straight_drive(num=3)
    brighter = BrighterDrive(drive, 60)
    assert set(np.unique(drive.scan(1).power)) == {0, 200}
    assert set(np.unique(brighter.scan(1).power)) == {60, 255}
    assert len(brighter.scan_stamps_ns) == len(brighter.cloud_stamps_ns) == 3
    np.testing.assert_array_equal(brighter.cloud(1).xyz_m, drive.cloud(1).xyz_m)


def test_maps_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match='brightness_px goes with no other change'):
        MapChange(brightness_px=3, keyframe_distance_m=4.0)
    with pytest.raises(ValueError, match=r'position_error_m is -1\.0'):
        MapChange(position_error_m=-1.0)
