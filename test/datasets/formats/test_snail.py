# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check drives of SNAIL radar: both radars, the XT32 that looks left, mountings, truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config
from ssd_ros.datasets.formats.open_sequence import open_sequence
from ssd_ros.datasets.sequence import RadarSequence

ARS548 = (
    'x y z doppler intensity range_std azimuth_std elevation_std doppler_std',
    ['F4'] * 9,
)
EAGLE = (
    'x y z Doppler Range Power Alpha Beta rangeAccu aziAccu eleAccu dopplerAccu recoveredSpeed '
    'dotFlags denoiseFlag historyFrameFlag dopplerCorrectionFlag',
    [*['F4'] * 13, *['U2'] * 4],  # as the header says, but packed as float32
)
XT32 = 'x y z intensity timestamp ring', ['F4', 'F4', 'F4', 'F4', 'F8', 'U2']
SECONDS = (1_699_160_000, 1_699_160_001)
# The XT32 on a mast, looking left; the radar 1 m ahead of the body and 0.5 m below.
LAUNCH = """<launch>
<node pkg="tf2_ros" type="static_transform_publisher" name="a"
 args="0 0 0.2 0 0 0.7071067811865476 0.7071067811865476 body PandarXT-32" />
<node pkg="tf" type="static_transform_publisher" name="b"
 args="1 0 -0.5 0 0 0 body ars548 100" />
<node pkg="tf2_ros" type="static_transform_publisher" name="c" args="2 0 0 0 0 0 1 body oculii" />
</launch>
"""


def pcd(path: Path, layout: tuple[str, list[str]], rows: list[list[float]], packed: bool) -> None:
    fields, kinds = layout
    names = fields.split()
    formats = {'F4': '<f4', 'F8': '<f8', 'U2': '<u2'}
    dtype = np.dtype(
        [
            (name, '<f4' if packed else formats[kind])
            for name, kind in zip(names, kinds, strict=True)
        ]
    )
    points = np.array([tuple(row) for row in rows], dtype)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        (
            f'VERSION 0.7\nFIELDS {fields}\nSIZE {" ".join(kind[1] for kind in kinds)}\n'
            f'TYPE {" ".join(kind[0] for kind in kinds)}\nCOUNT {" ".join("1" * len(names))}\n'
            f'WIDTH {len(rows)}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {len(rows)}\n'
            'DATA binary\n'
        ).encode()
        + points.tobytes()
    )


def drive(root: Path, launch: str = LAUNCH) -> Path:
    """Write <root>/20231105/data5 and its truth: the car goes east by 5 m a second."""
    folder = root / '20231105/data5'
    for second in SECONDS:
        stem = f'{second}.000000125'
        ars548 = [[30, 5, 0.5, -4.5, 12, 0.2, 0.5, 0.5, 0.25], [8, 0, 0, -5, -7, 0, 0, 0, 0]]
        pcd(folder / f'ars548/points/{stem}.pcd', ARS548, ars548, False)
        eagle = [[30, 5, 0.5, -4.5, 30, power, *[0.0] * 11] for power in (20.0, 60.0)]
        pcd(folder / f'eagleg7/enhanced/{stem}.pcd', EAGLE, eagle, True)
        # 10 m ahead and 2 m to the left of the car, for x to the left and y backwards.
        pcd(folder / f'xt32/{stem}.pcd', XT32, [[2, -10, -1, 30, second, 4]], False)
    (folder / 'tf_static.launch').write_text(launch)
    truth = root / 'full_trajs/20231105/data5/utm50r_T_xt32.txt'
    truth.parent.mkdir(parents=True)
    half = 2**-0.5  # x of the XT32 to the north, to the left of the car
    truth.write_text(
        ''.join(
            f'{SECONDS[0] + k / 2} {100 + 2.5 * k} 200 3 0 0 {half} {half}\n' for k in range(4)
        )
    )
    return folder


def test_a_drive_is_recognised_and_turned_ahead(tmp_path: Path) -> None:
    sequence = open_sequence(drive(tmp_path))
    assert isinstance(sequence, RadarSequence)
    assert sequence.name == '20231105/data5'
    assert sequence.cloud_stamps_ns[0] == 1_699_160_000_000_000_125
    scan = sequence.lidar(0)
    np.testing.assert_allclose(scan.xyz_m, [[10, 2, -1]])
    assert scan.intensity.tolist() == [30]
    np.testing.assert_allclose(sequence.lidar_poses.yaws_rad, 0, atol=1e-6)
    np.testing.assert_allclose(sequence.lidar_poses.positions_m[0], [100, 200, 3], atol=1e-5)


def test_the_ars548_has_rcs_and_stands_where_the_launch_file_says(tmp_path: Path) -> None:
    sequence = open_sequence(drive(tmp_path))
    cloud = sequence.cloud(0)
    assert cloud.rcs_dbsm.tolist() == [12, -7]
    assert cloud.radial_velocity_mps.tolist() == [-4.5, -5]
    # 1 m ahead of the body, whose origin is 0.2 m below the XT32.
    np.testing.assert_allclose(sequence.cloud_poses.positions_m[0], [101, 200, 2.3], atol=1e-5)
    np.testing.assert_allclose(sequence.cloud_poses.yaws_rad, 0, atol=1e-6)


def test_the_eagle_is_read_in_spite_of_its_header(tmp_path: Path) -> None:
    config = Rosbag2Config(points_topic='eagleg7/enhanced')
    sequence = open_sequence(drive(tmp_path), config=config)
    cloud = sequence.cloud(1)
    np.testing.assert_allclose(cloud.xyz_m, [[30, 5, 0.5]] * 2)
    assert cloud.radial_velocity_mps.tolist() == [-4.5, -4.5]
    assert cloud.rcs_dbsm[1] - cloud.rcs_dbsm[0] == 40  # decibels
    np.testing.assert_allclose(sequence.cloud_poses.positions_m[0], [102, 200, 2.8], atol=1e-5)


def test_without_a_launch_file_the_radar_stands_at_the_xt32(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sequence = open_sequence(drive(tmp_path, '<launch/>'))
    assert 'tf_static.launch does not say where ars548 is' in caplog.text
    np.testing.assert_allclose(sequence.cloud_poses.positions_m[0], [100, 200, 3], atol=1e-5)
    np.testing.assert_allclose(sequence.cloud_poses.yaws_rad, 0, atol=1e-6)


def test_one_sensor_is_enough_and_none_is_too_few(tmp_path: Path) -> None:
    folder = drive(tmp_path)
    (folder / 'xt32').rename(tmp_path / 'xt32')
    sequence = open_sequence(folder)
    assert (len(sequence.cloud_stamps_ns), len(sequence.lidar_stamps_ns)) == (2, 0)
    with pytest.raises(IndexError, match='20231105/data5 has no LiDAR, so no scan 0'):
        sequence.lidar(0)
    with pytest.raises(FileNotFoundError, match=r'has no folder ars548/points, .* or xt32; it ho'):
        open_sequence(tmp_path / 'full_trajs', 'snail')


def test_wrong_names_are_refused(tmp_path: Path) -> None:
    folder = drive(tmp_path)
    with pytest.raises(ValueError, match=r"no radar 'livox' in SNAIL; choose from ars548/points"):
        open_sequence(folder, config=Rosbag2Config(points_topic='livox'))
    with pytest.raises(FileNotFoundError, match='has no folder eagleg7/pcl, only'):
        open_sequence(folder, config=Rosbag2Config(points_topic='eagleg7/pcl'))
    (folder / 'xt32/frame_1.pcd').write_bytes(b'')
    with pytest.raises(ValueError, match=r'frame_1.pcd is not named by its time'):
        open_sequence(folder)


def test_a_cloud_without_what_it_needs_is_refused(tmp_path: Path) -> None:
    folder = drive(tmp_path)
    stem = f'{SECONDS[0]}.000000125.pcd'
    pcd(folder / 'xt32' / stem, ('x y z', ['F4'] * 3), [[1, 2, 3]], False)
    pcd(folder / 'ars548/points' / stem, ('x y z rcs', ['F4'] * 4), [[1, 2, 3, 4]], False)
    sequence = open_sequence(folder)
    with pytest.raises(
        ValueError, match=r"has no field \['intensity'\]; it has \['x', 'y', 'z'\]"
    ):
        sequence.lidar(0)
    with pytest.raises(ValueError, match='no field for Doppler'):
        sequence.cloud(0)
