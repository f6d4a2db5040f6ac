# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that each data set is recognised and opened by one call."""

from __future__ import annotations

from pathlib import Path
import re
import shutil

import cv2
import numpy as np
import pytest
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config, Rosbag2Sequence
from ssd_ros.datasets.bags.rosbag2_writer import write_rosbag2
from ssd_ros.datasets.formats.hercules import HerculesSequence, write_hercules
from ssd_ros.datasets.formats.open_sequence import DATASETS, open_sequence
from ssd_ros.datasets.sequence import RadarSequence
from support.drives.in_memory import drive
from support.recordings import messages_of, write_ros1

DATA = Path(__file__).parents[2] / 'data'
OXFORD_HEADER = 'timestamp,northing,easting,down,yaw'


def gray_png(path: Path, num_rows: int, num_columns: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((num_rows, num_columns), 9, np.uint8)
    if num_rows == 400:
        pixels[:, :11] = 0  # metadata that was not recorded
    pixels[200, 200] = 90
    assert cv2.imwrite(str(path), pixels)


def oxford(root: Path) -> Path:
    root /= '2019-01-10-11-46-21-radar-oxford-10k'
    for stamp_us in (1547131046353776, 1547131046603776):
        gray_png(root / f'radar/{stamp_us}.png', 400, 3779)
    (root / 'gps').mkdir()
    rows = '1547131046303776,0,0,0,0\n1547131046403776,10,0,0,0\n'
    (root / 'gps/ins.csv').write_text(f'{OXFORD_HEADER}\n{rows}')
    return root


def mulran(root: Path, folder: str, shape: tuple[int, int]) -> Path:
    root /= 'DCC01'
    gray_png(root / folder / '1564718976161407002.png', *shape)
    rows = [f'156471897{s}000000000,1,0,0,{s},0,1,0,0,0,0,1,0' for s in (6, 7)]
    (root / 'global_pose.csv').write_text('\n'.join(rows))
    return root


def boreas(root: Path) -> Path:
    root /= 'boreas-2021-08-05-13-34'
    shutil.copytree(DATA / 'boreas_poses' / root.name, root / 'applanix')
    gray_png(root / 'radar/1628185485062420.png', 400, 3371)
    return root


def radiate(root: Path) -> Path:
    root /= 'fog_6_0'
    gray_png(root / 'Navtech_Polar/1574859771744660272.png', 576, 400)
    return root


def boreas_rt(root: Path) -> Path:
    root /= 'boreas-2024-12-03-12-54'
    (root / 'radar').mkdir(parents=True)
    shutil.copy(DATA / 'boreas_rt/1733239501984460.png', root / 'radar')
    (root / 'applanix').mkdir()
    (root / 'applanix/radar_poses.csv').write_text('GPSTime,easting,northing,altitude,heading\n')
    return root


def test_oxford_is_recognised(tmp_path: Path) -> None:
    sequence = open_sequence(oxford(tmp_path))
    assert isinstance(sequence, RadarSequence)
    assert sequence.name == '2019-01-10-11-46-21-radar-oxford-10k'
    assert sequence.scan_stamps_ns.tolist() == [1547131046353776000, 1547131046603776000]
    # Half way between the two rows; the second scan lies beyond them.
    np.testing.assert_allclose(sequence.scan_poses.positions_m, [[0, 5, 0]])
    scan = sequence.scan(0)
    assert (scan.power.shape, scan.range_resolution_m) == ((3768, 400), 0.0432)


@pytest.mark.parametrize(
    ('folder', 'shape'),
    [
        ('polar_oxford_form', (400, 3371)),
        ('polar', (3360, 400)),
        ('sensor_data/radar/polar', (3360, 400)),
    ],
)
def test_mulran_is_recognised(tmp_path: Path, folder: str, shape: tuple[int, int]) -> None:
    sequence = open_sequence(mulran(tmp_path, folder, shape))
    assert (sequence.name, sequence.scan_stamps_ns.tolist()) == ('DCC01', [1564718976161407002])
    scan = sequence.scan(0)
    assert (scan.power.shape, scan.range_resolution_m) == ((3360, 400), 0.05952)
    assert scan.range_resolution_m * 3360 == pytest.approx(200, abs=0.1)
    np.testing.assert_allclose(sequence.scan_poses.positions_m[0, 0], 6.161407002 + 1.5)


def test_early_boreas_is_recognised(tmp_path: Path) -> None:
    sequence = open_sequence(boreas(tmp_path))
    assert len(sequence.scan_poses) == 60
    # Names have microseconds, poses nanoseconds: the same turn within a millisecond.
    index, is_near = sequence.scan_poses.nearest(sequence.scan_stamps_ns, 1_000_000)
    assert (index.tolist(), is_near.tolist()) == ([0], [True])
    scan = sequence.scan(0)
    assert (scan.range_resolution_m, scan.range_offset_m) == (0.0596, -0.31)


def test_a_real_boreas_rt_scan_is_recognised(tmp_path: Path) -> None:
    sequence = open_sequence(boreas_rt(tmp_path))
    assert len(sequence.scan_poses) == 0
    scan = sequence.scan(0)
    assert scan.stamp_ns == 1733239501984460000
    assert scan.power.shape == (6848, 400)
    assert (scan.range_resolution_m, scan.range_offset_m) == (0.04381, -0.31)


def test_a_data_set_without_4d_radar_has_no_clouds(tmp_path: Path) -> None:
    sequence = open_sequence(oxford(tmp_path))
    assert (len(sequence.cloud_stamps_ns), len(sequence.cloud_poses)) == (0, 0)
    with pytest.raises(IndexError, match='has no 4D radar'):
        sequence.cloud(0)


def test_hercules_and_rosbag2_are_recognised(tmp_path: Path) -> None:
    path = write_hercules(tmp_path, 'Library', '01', drive())
    assert isinstance(open_sequence(path), HerculesSequence)
    assert isinstance(open_sequence(str(path), 'hercules'), HerculesSequence)
    path = write_rosbag2(tmp_path / 'bag', drive())
    assert isinstance(open_sequence(path), Rosbag2Sequence)
    assert isinstance(open_sequence(path / 'bag.db3'), Rosbag2Sequence)


def test_a_scan_without_poses_is_readable(tmp_path: Path) -> None:
    path = oxford(tmp_path)
    (path / 'gps/ins.csv').unlink()
    sequence = open_sequence(path, 'oxford')
    assert (len(sequence.scan_stamps_ns), len(sequence.scan_poses)) == (2, 0)


def test_an_unknown_data_set_is_refused_with_the_choices(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"unknown dataset 'kitti'; choose from auto, hercules, "):
        open_sequence(tmp_path, 'kitti')
    assert len(DATASETS) == 10


def snail(root: Path) -> Path:
    """Make a drive of SNAIL radar whose XT32 was switched off."""
    (root / '20231105/data5/xt32').mkdir(parents=True)
    return root / '20231105/data5'


def transloc4d(root: Path) -> Path:
    root /= 'ntu-rsvi/val/query'
    (root / 'pointclouds').mkdir(parents=True)
    (root / 'gps.csv').write_text('timestamp,northing,easting\n1680000000.5,1,2\n')
    np.save(root / 'pointclouds/1680000000.5.npy', np.full((3, 5), 9.0))
    return root


def ntu4dradlm(root: Path) -> Path:
    (root / 'cp').mkdir()
    messages = messages_of(write_rosbag2(root / 'as_ros2', drive()))
    enhanced = [('/radar_enhanced_pcl', *rest) for name, *rest in messages if 'points' in name]
    write_ros1(root / 'cp/cp.bag', messages + enhanced)
    start_s = drive().cloud_stamps_ns[0] // 10**9
    (root / 'cp/gt_odom.txt').write_text(f'{start_s} 0 0 0 0 0 0 1\n{start_s + 1} 1 0 0 0 0 0 1\n')
    return root / 'cp'


BAG = ('rosbag2',)
# Heeded, but this value is of a recording.
JUDGED = (('snail', 'points_topic'), ('boreas', 'lidar_source'))
PNG_OR_BAG = ('oxford', 'mulran', 'boreas', 'polar_png', 'rosbag2')


@pytest.mark.parametrize(
    ('option', 'value', 'of'),
    [
        ('points_topic', '/radar/points', ('snail', 'ntu4dradlm', 'rosbag2')),
        ('lidar_source', '/lidar', ('boreas', 'ntu4dradlm', 'rosbag2')),
        ('scan_topic', '/radar/polar', BAG),
        ('poses_topic', '/ground_truth/odom', BAG),
        ('spinning_preset', 'hercules', BAG),
        ('range_resolution_m', 0.0596, PNG_OR_BAG),
    ],
)
def test_options_of_other_data_sets_are_refused_by_name(
    tmp_path: Path, option: str, value: str | float, of: tuple[str, ...]
) -> None:
    drives = {
        'oxford': oxford(tmp_path),
        'mulran': mulran(tmp_path, 'polar', (3360, 400)),
        'boreas': boreas(tmp_path),
        'hercules': write_hercules(tmp_path, 'Library', '01', drive()),
        'polar_png': radiate(tmp_path),
        'snail': snail(tmp_path),
        'transloc4d': transloc4d(tmp_path),
        'ntu4dradlm': ntu4dradlm(tmp_path),
        'rosbag2': write_rosbag2(tmp_path / 'bag', drive()),
    }
    # Tiles of a map make a drive with the way through them alone.
    assert drives.keys() | {'pcd_tiles'} == set(DATASETS)
    config = Rosbag2Config(**{option: value})  # type: ignore[arg-type]
    flag = '--' + option.removesuffix('_m').replace('_', '-')
    for name, path in drives.items():
        for dataset in ('auto', name):
            if name in of:
                if (name, option) not in JUDGED:
                    open_sequence(path, dataset, config)
                continue
            message = f'{flag} {value} is an option of {", ".join(of)}, but {path} is read as '
            with pytest.raises(ValueError, match=re.escape(message + name)):
                open_sequence(path, dataset, config)


def test_another_range_resolution_counts_in_every_folder_of_polar_images(tmp_path: Path) -> None:
    config = Rosbag2Config(range_resolution_m=0.0596)
    for path in (oxford(tmp_path), mulran(tmp_path, 'polar', (3360, 400)), boreas(tmp_path)):
        assert open_sequence(path, config=config).scan(0).range_resolution_m == 0.0596


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='nowhere does not exist'):
        open_sequence(tmp_path / 'nowhere')


def test_a_directory_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'holiday.jpg').touch()
    with pytest.raises(ValueError, match=r"cannot tell the data set .* found \['holiday.jpg'\]"):
        open_sequence(tmp_path)


@pytest.mark.parametrize('dataset', ['oxford', 'mulran', 'boreas', 'hercules'])
def test_the_wrong_data_set_is_refused_with_what_was_found(tmp_path: Path, dataset: str) -> None:
    (tmp_path / 'photos').mkdir()
    with pytest.raises(FileNotFoundError, match=r"it holds \['photos'\]"):
        open_sequence(tmp_path, dataset)


def test_a_file_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'notes.txt').write_text('x')
    with pytest.raises(FileNotFoundError, match=r'notes.txt is not a directory'):
        open_sequence(tmp_path / 'notes.txt')


def test_a_stamp_of_unknown_unit_is_refused(tmp_path: Path) -> None:
    path = oxford(tmp_path)
    gray_png(path / 'radar/1547131046.png', 400, 3779)
    with pytest.raises(ValueError, match=r'stamp 1547131046 has 10 digits, expected 16 .* or 19'):
        open_sequence(path)


@pytest.mark.parametrize('config', [Rosbag2Config(), Rosbag2Config(reads_poses=False)])
def test_files_of_another_data_set_are_refused_by_name(
    tmp_path: Path, config: Rosbag2Config
) -> None:
    """Both lie in `radar/`: 400 azimuths of Boreas would be read with the range of Oxford."""
    path = boreas(tmp_path)
    message = r'is not of oxford: it holds applanix/radar_poses\.csv, as of boreas'
    with pytest.raises(ValueError, match=message):
        open_sequence(path, 'oxford', config)
    assert open_sequence(path, 'boreas', config).origin.by == 'boreas'
    with pytest.raises(ValueError, match=r'is not of boreas: it holds gps/ins\.csv, as of oxford'):
        open_sequence(oxford(tmp_path), 'boreas', config)
