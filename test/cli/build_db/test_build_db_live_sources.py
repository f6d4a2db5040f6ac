# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that a recording makes the same map in whatever messages the spinning radar came."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ssd_ros.cli.build_db import command as build_db
from ssd_ros.datasets.poses import write_hercules_poses
from ssd_ros.maps.place_database import PlaceDatabase
from support.posts import straight_drive, write_small_encoder
from support.spinning_messages import b_scan, bag_of, image, sweep

DRIVE = straight_drive(num=3)
STAMPS_NS = DRIVE.scan_stamps_ns.tolist()
COUNTS = (np.arange(400) * 14).astype(np.uint16)


def recording(source: str) -> list[Any]:
    """Return the messages of three turns of 400 azimuths with 600 bins of 0.25 m."""
    turns = [np.ascontiguousarray(DRIVE.scan(index).power.T) for index in range(3)]
    pairs = list(zip(turns, STAMPS_NS, strict=True))
    match source:
        case 'hercules':
            return [image(np.ascontiguousarray(rows.T), stamp_ns) for rows, stamp_ns in pairs]
        case 'navtech_image':
            return [image(rows, stamp_ns) for rows, stamp_ns in pairs]
        case 'navtech_b_scan':
            # The antenna looks backwards when the driver begins.
            return [
                b_scan(np.roll(rows, 200, axis=0), np.roll(COUNTS, 200), stamp_ns)
                for rows, stamp_ns in pairs
            ]
        case _:
            return [
                sweep(int(count), stamp_ns, row)
                for rows, stamp_ns in pairs
                for count, row in zip(COUNTS, rows, strict=True)
            ]


@pytest.fixture(scope='module')
def maps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PlaceDatabase]:
    """Build the map of each recording."""
    path = tmp_path_factory.mktemp('live_sources')
    write_small_encoder(path / 'teacher.onnx', 'spinning')
    write_hercules_poses(path / 'poses.txt', DRIVE.scan_poses)
    built = {}
    for source in ('hercules', 'navtech_image', 'navtech_b_scan', 'navtech_fft'):
        bag = bag_of(path / f'{source}_bag', '/radar', recording(source))
        options = {
            'input': bag,
            'output': path / source,
            'teacher': path / 'teacher.onnx',
            'poses': path / 'poses.txt',
            'spinning-preset': source,
            'range-resolution': 0.25,
            'views': 4,
            'device': 'cpu',
        }
        assert build_db.main([f'--{name}={value}' for name, value in options.items()]) == 0
        built[source] = PlaceDatabase.load(path / source)
    return built


@pytest.mark.parametrize('source', ['navtech_image', 'navtech_b_scan', 'navtech_fft'])
def test_the_map_does_not_depend_on_the_messages(
    maps: dict[str, PlaceDatabase], source: str
) -> None:
    expected, database = maps['hercules'], maps[source]
    assert database.keyframes.stamps_ns.tolist() == STAMPS_NS
    assert database.num_rows == 12
    np.testing.assert_array_equal(database.descriptors(), expected.descriptors())
