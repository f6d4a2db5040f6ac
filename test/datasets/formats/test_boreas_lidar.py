# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the LiDARs of Boreas and Boreas-RT: how they are turned, and what is missing or wrong."""

from __future__ import annotations

from pathlib import Path
import struct

import numpy as np
import pytest
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config
from ssd_ros.datasets.formats.open_sequence import open_sequence
from ssd_ros.datasets.sequence import RadarSequence

STAMP = 1_628_185_445_173_419  # microseconds
HEADER = (
    'GPSTime,easting,northing,altitude,vel_east,vel_north,vel_up,roll,pitch,heading,'
    'angvel_z,angvel_y,angvel_x\n'
)
# Of boreas-2021-08-05-13-34, where the car goes north-east by north at 12 m/s.
POSE = (
    '622482.031875,4850783.627323,154.034428,6.971026333269829,10.155416646045085,'
    '0.12607733801542162,-0.01916334344136269,-0.007045361721279628,-0.17173242210303707,'
    '-0.006,0.017,-0.011\n'
)
T_APPLANIX_LIDAR = (
    '7.353640198707580566e-01 -6.776720285415649414e-01 0.0 2.491541951894760132e-02\n'
    '6.776720285415649414e-01 7.353640198707580566e-01 1.000000047497451305e-03 -1.34e-02\n'
    '-6.776719819754362106e-04 -7.353639812208712101e-04 1.0 3.160137534141540527e-01\n'
    '0 0 0 1\n'
)
# An Aeva that looks ahead: its frame is the LiDAR's turned by the 47.3 degrees.
T_AEVA_LIDAR = (
    '0.6776720285 0.7353640199 0 0.1\n-0.7353640199 0.6776720285 0 0.2\n0 0 1 -0.3\n0 0 0 1\n'
)
AEVA = Rosbag2Config(lidar_source='aeva')


def drive(root: Path, *, calibrations: tuple[str, ...] = ('applanix', 'aeva')) -> Path:
    """Write one scan of each LiDAR: a point 10 m ahead of the car and 1 m below."""
    angle = np.deg2rad(47.34)  # ahead, in the frame of the Velodyne
    ahead = 10 * np.cos(angle), 10 * np.sin(angle), -1.0
    for folder in ('lidar', 'aeva', 'applanix', 'calib'):
        (root / folder).mkdir(parents=True)
    velodyne = struct.pack('<ffffff', *ahead, 17, 3, -0.05)
    (root / f'lidar/{STAMP}.bin').write_bytes(velodyne)
    aeva = struct.pack('<ffffffffQ', 10, 0, -1, -12.3, 40, 1, 0.4, 0.05, 0)
    (root / f'aeva/{STAMP}.bin').write_bytes(aeva)
    for name in ('lidar', 'aeva'):
        (root / f'applanix/{name}_poses.csv').write_text(f'{HEADER}{STAMP},{POSE}')
    texts = {'applanix': T_APPLANIX_LIDAR, 'aeva': T_AEVA_LIDAR}
    names = {'applanix': 'T_applanix_lidar.txt', 'aeva': 'T_aeva_lidar.txt'}
    for which in calibrations:
        (root / 'calib' / names[which]).write_text(texts[which])
    return root


def test_the_velodyne_is_turned_ahead(tmp_path: Path) -> None:
    sequence = open_sequence(drive(tmp_path / 'boreas-2021-08-05-13-34'))
    assert isinstance(sequence, RadarSequence)
    assert sequence.name == 'boreas-2021-08-05-13-34'
    assert sequence.lidar_stamps_ns.tolist() == [STAMP * 1000]
    scan = sequence.lidar(0)
    np.testing.assert_allclose(scan.xyz_m, [[10, 0, -1]], atol=0.02)
    assert scan.intensity.tolist() == [17]
    assert scan.radial_velocity_mps is None
    # The heading is the course: atan2(10.16, 6.97), with some degrees of side slip.
    course_deg = np.degrees(np.arctan2(10.155, 6.971))
    assert np.degrees(sequence.lidar_poses.yaws_rad[0]) == pytest.approx(course_deg, abs=3)
    assert sequence.lidar_poses.positions_m[0, 0] == 622482.031875
    assert len(sequence.scan_stamps_ns) == 0


def test_the_aeva_has_doppler(tmp_path: Path) -> None:
    sequence = open_sequence(drive(tmp_path / 'rt'), 'boreas', AEVA)
    scan = sequence.lidar(0)
    np.testing.assert_allclose(scan.xyz_m, [[10, 0, -1]], atol=0.02)
    assert scan.radial_velocity_mps is not None
    assert scan.radial_velocity_mps[0] == np.float32(-12.3)
    assert scan.intensity.tolist() == [40]
    assert (scan.stamp_ns, scan.frame_id) == (STAMP * 1000, 'aeva')


def test_without_a_velodyne_the_aeva_is_read(tmp_path: Path) -> None:
    root = drive(tmp_path / 'rt')
    for path in (root / 'lidar').iterdir():
        path.unlink()
    (root / 'lidar').rmdir()
    assert open_sequence(root).lidar(0).frame_id == 'aeva'


def test_a_lidar_whose_mounting_is_unknown_is_none_unless_named(tmp_path: Path) -> None:
    root = drive(tmp_path / 'rt', calibrations=('aeva',))
    with pytest.raises(ValueError, match=r'has no t_applanix_lidar.txt: .* how the LiDAR is turn'):
        open_sequence(root, config=AEVA)
    with pytest.raises(FileNotFoundError, match='has no folder radar'):
        open_sequence(root)
    with pytest.raises(ValueError, match="no LiDAR 'livox' in Boreas; choose from lidar, aeva"):
        open_sequence(root, config=Rosbag2Config(lidar_source='livox'))


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('1 0 0', 'does not hold a 4x4 matrix'),
        ('2 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1', 'does not hold a rotation'),
        ('x' * 16, 'does not hold a 4x4 matrix'),
    ],
)
def test_a_wrong_calibration_is_refused(tmp_path: Path, text: str, message: str) -> None:
    root = drive(tmp_path / 'rt')
    (root / 'calib/T_applanix_lidar.txt').write_text(text)
    with pytest.raises(ValueError, match=f'T_applanix_lidar.txt {message}'):
        open_sequence(root)


def test_a_scan_that_is_cut_off_loses_a_point(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = drive(tmp_path / 'rt')
    with (root / f'lidar/{STAMP}.bin').open('ab') as file:
        file.write(b'\0' * 23)
    assert len(open_sequence(root).lidar(0)) == 1
    assert '23 bytes after the last whole record' in caplog.text
