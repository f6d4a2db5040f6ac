# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `cache`: simulated drives in the papers' layout, with the faults of the real files."""

from __future__ import annotations

from dataclasses import replace
import json
from pathlib import Path
import shutil

import numpy as np
import pytest
from ssd_ros.cli.cache import command as cache
from ssd_ros.cli.cache.drives import benchmark_drives, in_weathers, SimulatedDrive
from ssd_ros.cli.cache.jobs import CacheJob, fill_cache, read_preprocessing
from ssd_ros.cli.evaluate import command as evaluate
from ssd_ros.datasets.formats.hercules import write_hercules
from ssd_ros.evaluation.bev_cache import CachedDrive, load_drive, load_drives, Spacing
from ssd_ros.motion.trajectory import wrap_angle
from ssd_ros.shared_files import shared_file
from ssd_ros.simulator.config import Conditions, PRESETS, UNIT_SEED
from ssd_ros.simulator.recordings.benchmark import load_benchmark
from ssd_ros.training.ablation import command as ablate
from support.posts import lidar_drive, straight_drive

PREPROCESSING = read_preprocessing(shared_file('config/training.yaml'))


@pytest.fixture(scope='module')
def cached(hercules_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp('cache')
    assert run('--hercules', hercules_root, '--out', out, '--jobs', 1, '--query-spacing', 2) == 0
    return out


def run(*arguments: object) -> int:
    return cache.main([str(argument) for argument in arguments])


def drives_of(out: Path, split: str) -> dict[str, CachedDrive]:
    return {drive.name: drive for drive in load_drives(out / split, PREPROCESSING)}


def test_every_drive_of_the_papers_lands_in_its_split(cached: Path) -> None:
    assert list(drives_of(cached, 'train')) == [
        'Bridge/01',
        'Mountain/01',
        'Mountain/02',
        'Mountain/03',
        'Parking_Lot/03',
        'Parking_Lot/04',
        'Stream/02',
    ]
    assert list(drives_of(cached, 'validation')) == ['Parking_Lot/01', 'Parking_Lot/02']
    test = drives_of(cached, 'test')
    assert len(test) == 8  # Library/03 is missing
    assert {drive.world for drive in test.values()} == {
        'Library',
        'River_Island',
        'Sports_Complex',
    }


def test_all_scans_and_thinned_queries_are_cached(cached: Path) -> None:
    drive = drives_of(cached, 'test')['Library/01']
    assert len(drive.panoramas) == 8
    steps_m = np.hypot(*np.diff(drive.student_poses[:, :2], axis=0).T)
    assert len(drive.student_bevs) >= 3
    assert steps_m.min() >= 2.0
    assert drive.student_bevs[...].max() > PREPROCESSING.cloud.threshold
    assert drive.panoramas[...].max() > PREPROCESSING.scan.threshold


def test_poses_that_cover_a_part_leave_the_rest_out(
    hercules_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    only = tmp_path / 'only'
    for number in ('01', '02', '03'):
        shutil.copytree(hercules_root / 'River_Island' / number, only / 'River_Island' / number)
    arguments = ['--hercules', only, '--split', 'test', '--out', tmp_path / 'out', '--jobs', 1]
    assert run(*arguments) == 0
    drives = drives_of(tmp_path / 'out', 'test')
    # 12 of 40 poses, 50 ms apart: 0.55 s at 5 to 6 m/s is 3 m, one image each 0.5 m or more.
    assert 4 <= len(drives['River_Island/02'].student_bevs) <= 7
    assert len(drives['River_Island/02'].panoramas) == 8
    assert len(drives['River_Island/03'].student_bevs) == 0
    output = capsys.readouterr().out
    assert 'test/River_Island_02' in output
    assert '28 of 40 scans of the 4D radar have no pose, left out' in output
    assert '40 of 40 scans of the 4D radar have no pose, left out' in output
    assert 'note: Library/01 (test) is not below' in output


def test_a_second_run_keeps_the_drives_and_says_what_is_missing(
    hercules_root: Path, cached: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before_ns = (cached / 'test' / 'Library_01').stat().st_mtime_ns
    assert run('--hercules', hercules_root, '--out', cached, '--query-spacing', 2) == 0
    assert (cached / 'test' / 'Library_01').stat().st_mtime_ns == before_ns
    output = capsys.readouterr().out
    assert output.count('was there') == 17
    assert 'note: Library/03 (test) is not below' in output


def test_heading_is_that_of_the_motion(cached: Path) -> None:
    drive = drives_of(cached, 'train')['Mountain/01']
    step_m = drive.panorama_poses[5, :2] - drive.panorama_poses[4, :2]
    assert np.cos(drive.panorama_poses[4, 2] - np.arctan2(*step_m[::-1])) > 0.99


def test_one_bad_file_of_each_radar_is_left_out_and_told(
    hercules_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(hercules_root / 'Library' / '02', tmp_path / '02')
    radar = tmp_path / '02' / 'Radar'
    clouds, scans = (
        sorted(path for path in (radar / name).rglob(f'*.{ending}') if path.is_file())
        for name, ending in (('Continental', 'bin'), ('Navtech', 'png'))
    )
    clouds[20].unlink()
    clouds[20].symlink_to('lost')
    scans[4].write_bytes(b'no image')
    options = ['--world', 'yard', '--out', tmp_path / 'out', '--jobs', 1, '--query-spacing', 0]
    assert run('--drives', tmp_path / '02', *options) == 0
    drive = drives_of(tmp_path / 'out', 'test')['yard/02']
    assert (len(drive.student_bevs), len(drive.panoramas)) == (39, 7)
    printed = capsys.readouterr()
    assert '2 scans cannot be read, left out' in printed.out
    meta = json.loads((tmp_path / 'out' / 'test' / 'yard_02' / 'meta.json').read_text())
    assert meta['unreadable'] == {'student': 1, 'panorama': 1}


def test_a_drive_of_bad_files_leaves_the_others_cached(
    hercules_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in ('01', '02'):
        shutil.copytree(hercules_root / 'Library' / number, tmp_path / number)
    for path in (tmp_path / '01' / 'Radar' / 'Navtech').rglob('*.png'):
        path.write_bytes(b'no image')
    drives = [tmp_path / '01', tmp_path / '02']
    assert run('--drives', *drives, '--world', 'yard', '--out', tmp_path / 'out', '--jobs', 1) == 1
    assert list(drives_of(tmp_path / 'out', 'test')) == ['yard/02']
    err = capsys.readouterr().err
    assert '01: 8 of the first 8 spinning radar scans cannot be used' in err
    assert '1 of 2 drives are not cached, all others are' in err


def test_drives_of_hercules_that_cannot_be_used_are_skipped_and_told(
    hercules_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in ('01', '02'):
        shutil.copytree(hercules_root / 'Mountain' / number, tmp_path / 'Mountain' / number)
    poses = tmp_path / 'Mountain' / '02' / 'PR_GT' / 'Navtech_gt.txt'
    rows = [line.split() for line in poses.read_text().splitlines()]
    for row in rows[len(rows) // 2 :]:
        row[1] = str(float(row[1]) + 443_000)
    poses.write_text('\n'.join(' '.join(row) for row in rows))
    command = ['--hercules', tmp_path, '--split', 'train', '--out', tmp_path / 'out', '--jobs', 1]
    assert run(*command) == 0
    assert list(drives_of(tmp_path / 'out', 'train')) == ['Mountain/01']
    out = capsys.readouterr().out
    assert (
        'note: train/Mountain_02 was skipped: Mountain/02, spinning radar: its poses jump' in out
    )
    shutil.rmtree(tmp_path / 'Mountain' / '01')
    assert run(*command) == 1  # none is left


def test_headings_of_hercules_that_drift_are_taken_from_the_course(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bends_rad = 0.06 * np.sin(np.linspace(0, 2 * np.pi, 60))
    course_rad = np.cumsum(bends_rad)
    steps = 3 * np.column_stack([np.cos(course_rad), np.sin(course_rad)])
    drift_rad = np.radians(np.linspace(-20, 40, 60))
    planar = np.column_stack([np.cumsum(steps, axis=0), course_rad + drift_rad])
    write_hercules(tmp_path / 'HeRCULES', 'Stream', '02', replace(straight_drive(), xy_yaw=planar))
    root = tmp_path / 'HeRCULES'
    command = ['--hercules', root, '--split', 'train', '--out', tmp_path / 'out', '--jobs', 1]
    assert run(*command) == 0
    note = 'headings from the course, lever arm 3.5 m; those given are '
    assert f'Stream/02, spinning radar: {note}' in capsys.readouterr().err
    meta = json.loads((tmp_path / 'out/train/Stream_02/meta.json').read_text())
    assert any(note in radar['poses'] for radar in meta['radars'])
    (drive,) = load_drives(tmp_path / 'out' / 'train', PREPROCESSING)
    off_deg = np.degrees(wrap_angle(drive.panorama_poses[:, 2] - course_rad))
    assert np.abs(off_deg).max() < 15  # the arm lets it lag in bends of a radius of 50 m
    # Who asks for no more than the check gets no more.
    assert run(*command, '--heading', 'auto') == 1
    assert 'its headings do not fit its course' in capsys.readouterr().err


def test_a_place_without_its_map_is_refused(
    hercules_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(hercules_root / 'Library' / '02', tmp_path / 'Library' / '02')
    assert run('--hercules', tmp_path, '--out', tmp_path / 'out') == 1
    assert 'Library/01, the map of Library, is not below' in capsys.readouterr().err
    assert run('--hercules', tmp_path, '--split', 'train', '--out', tmp_path / 'out') == 1
    assert 'has no drive of the papers (train)' in capsys.readouterr().err


def test_single_drives_share_a_world_and_may_lack_the_4d_radar(
    hercules_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = tmp_path / 'DCC01'
    shutil.copytree(hercules_root / 'Library' / '01', drive)
    shutil.rmtree(drive / 'Radar' / 'Continental')
    arguments = [
        '--drives',
        drive,
        hercules_root / 'Library' / '02',
        '--world',
        'DCC',
        '--jobs',
        1,
    ]
    assert run(*arguments, '--out', tmp_path / 'out', '--query-spacing', 2) == 0
    drives = drives_of(tmp_path / 'out', 'test')
    assert [(drive.world, drive.name) for drive in drives.values()] == [
        ('DCC', 'DCC/02'),
        ('DCC', 'DCC/DCC01'),
    ]
    assert drives['DCC/DCC01'].student_bevs.shape == (0, 384, 192)
    assert len(drives['DCC/DCC01'].panoramas) == 8
    assert 'no 4D radar' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--benchmark', 'demo'], "no split 'demo'; choose from train, validation"),
        (['--benchmark', 'train', '--world', 'a'], '--world is for recorded drives'),
        (['--drives', 'x'], '--drives needs --world'),
        (['--drives', 'x', '--world', 'a/b'], "without / of the place they share, not 'a/b'"),
        (['--drives', 'a/01', 'b/01', '--world', 'w'], 'the drives are named'),
        (['--drives', 'none', '--world', 'w'], 'none does not exist'),
        (['--hercules', 'none'], 'none is not a directory'),
        (['--benchmark', 'train', '--config', 'config/benchmark.yaml'], 'no section preproc'),
    ],
)
def test_wrong_arguments_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(*arguments, '--out', tmp_path / 'out', '--jobs', 1) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_the_help_names_every_split_of_the_benchmark() -> None:
    names = [split.name for split in load_benchmark(shared_file('config/benchmark.yaml')).splits]
    assert f'simulate: {", ".join(names)}' in ' '.join(cache.parser().format_help().split())


def test_a_simulated_drive_lands_in_the_cache(tmp_path: Path) -> None:
    job = benchmark_drives('train')[1]
    assert job.directory == 'train/0000_1'
    far_apart = CacheJob(job.directory, Spacing(150.0, 150.0), job.source)
    (line,) = fill_cache([far_apart], tmp_path, PREPROCESSING, 1)
    drive = load_drive(tmp_path / 'train' / '0000_1', PREPROCESSING)
    assert (drive.world, drive.name) == ('Sim_Town_0000', 'Sim_Town_0000/02')
    # A lap of about 1 km; 150 m are measured as the crow flies.
    assert 3 <= len(drive.student_bevs) <= 7
    assert 3 <= len(drive.panoramas) <= 7
    assert line.startswith('train/0000_1')
    assert 'was there' not in line


def test_the_second_drive_is_cached_again_in_each_weather(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dry = benchmark_drives('train')
    jobs = in_weathers(dry, ['fog', 'night'])
    assert len(jobs) == 20
    fog, night = jobs[0], jobs[10]
    assert (fog.directory, night.directory) == ('train_fog/0000_1', 'train_night/0000_1')
    sources = [fog.source, night.source]
    assert [source.open().name for source in sources] == [
        'Sim_Town_0000/02_fog',
        'Sim_Town_0000/02_night',
    ]
    # Of the same traffic and way; night is as day to radars and LiDARs.
    assert fog.source.digest != dry[1].source.digest == night.source.digest
    assert run('--benchmark', 'train', '--weather', 'hail', '--out', tmp_path / 'out') == 1
    assert "no weather 'hail'; choose from clear, night" in capsys.readouterr().err
    assert run('--benchmark', 'train_wide', '--weather', 'fog', '--out', tmp_path / 'out') == 1
    assert 'without a random radar' in capsys.readouterr().err
    assert run('--drives', tmp_path, '--weather', 'fog', '--out', tmp_path / 'out') == 1
    assert '--weather is for --benchmark' in capsys.readouterr().err


def test_images_of_another_window_lie_in_a_directory_named_for_it(
    hercules_root: Path, tmp_path: Path
) -> None:
    drive = hercules_root / 'Library' / '01'
    what = ('--drives', drive, '--world', 'Library', '--split', 'train', '--jobs', 1)
    assert run(*what, '--window', 7.5, '--only', '4d', '--out', tmp_path / 'out') == 0
    assert [path.name for path in (tmp_path / 'out').iterdir()] == ['train_7.5m']
    longer = replace(PREPROCESSING, window_m=7.5)
    (cached,) = load_drives(tmp_path / 'out' / 'train_7.5m', longer)
    assert len(cached.student_bevs) > 0
    assert len(cached.panoramas) == 0


def test_local_maps_of_the_4d_radar_stand_in_for_turns(
    hercules_root: Path, tmp_path: Path
) -> None:
    drive = hercules_root / 'Library' / '01'
    what = ('--drives', drive, '--world', 'Library', '--split', 'train', '--jobs', 1)
    assert run(*what, '--submap', 10, '--out', tmp_path / 'out') == 0
    (cached,) = load_drives(tmp_path / 'out' / 'train_submap10m', PREPROCESSING, any_window=True)
    assert len(cached.student_bevs) == 0
    assert len(cached.panoramas) > 0
    assert [radar.sensor for radar in cached.radars] == ['4d']


def test_local_maps_of_a_lidar_stand_beside_the_4d_radar(tmp_path: Path) -> None:
    drive = replace(lidar_drive(), lidar_yaw_rad=0.0)
    write_hercules(tmp_path / 'drives', 'Posts', '01', drive)
    what = ('--drives', tmp_path / 'drives/Posts/01', '--world', 'Posts', '--split', 'train')
    what += ('--scan-spacing', 10, '--lidar', '--jobs', 1)
    assert run(*what, '--out', tmp_path / 'out') == 0
    (cached,) = load_drives(tmp_path / 'out' / 'train_lidar', PREPROCESSING, any_window=True)
    assert (len(cached.student_bevs), len(cached.panoramas)) == (40, 8)
    assert [radar.sensor for radar in cached.radars] == ['4d', 'lidar']


@pytest.mark.parametrize(
    ('more', 'said'),
    [
        (('--submap', 150, '--window', 20), 'expected no --window, no --only'),
        (('--lidar', '--submap', 150), 'expected no --submap, no --only'),
        (('--lidar', '--only', '4d'), 'expected no --submap, no --only'),
    ],
)
def test_local_maps_exclude_other_images(
    more: tuple[object, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run('--benchmark', 'train', '--out', tmp_path / 'out', *more) != 0
    assert said in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_the_way_back_covers_the_same_part_of_the_loop() -> None:
    place = replace(
        benchmark_drives('validation')[0].source.place,  # type: ignore[attr-defined]
        seed=UNIT_SEED,
        world=PRESETS['unit'].world,
    )
    forth = replace(place.sessions[0], part=(0.0, 0.25))
    back = replace(forth, name='02', conditions=Conditions(opposite_direction=True))
    first, second = (SimulatedDrive(place, visit).open().scan_poses for visit in (forth, back))
    gap_m = first.positions_m[:, None, :2] - second.positions_m[None, :, :2]
    nearest = np.hypot(*gap_m.transpose(2, 0, 1)).argmin(axis=1)
    # The other lane is 3.6 m away, and its first place is the map's last.
    assert np.hypot(*gap_m.transpose(2, 0, 1)).min(axis=1).max() < 8
    assert nearest[0] > nearest[-1]
    assert np.isclose(len(first), len(second), rtol=0.3)


@pytest.mark.training
def test_the_papers_drives_train_every_scheme_and_print_the_papers_tables(
    cached: Path, tmp_path: Path
) -> None:
    small = (
        'network.channels=[4, 8]',
        'network.num_blocks=[1, 1]',
        'network.strides=[1, 2]',
        'network.hidden_size=8',
        'network.mid={num_clusters: 6, cluster_size: 4, token_size: 4, descriptor_size: 8}',
        'batch.num_places=4',
        'batch.num_distractors=1',
        'optimiser.num_steps=2',
        'num_threads=1',
        'bfloat16=false',
    )
    settings = [part for setting in small for part in ('--set', setting)]
    config = str(shared_file('config/training.yaml'))
    rows = ['--schemes', 'none', 'ssd', '--seeds', '0', '--jobs', '1']
    out = tmp_path / 'ablation'
    command = ['--config', config, '--cache', str(cached), '--out', str(out), *rows, *settings]
    assert ablate.main(command) == 0
    table = (out / 'ablation.md').read_text()
    assert '| none |' in table
    assert '| ssd |' in table
    tables = tmp_path / 'tables.md'
    arguments = ['--cache', str(cached / 'test'), '--tasks', 'single', 'multi']
    assert evaluate.main([*arguments, '--database', 'A', '--markdown', str(tables)]) == 0
    text = tables.read_text()
    assert 'Sports_Complex/01 -> Sports_Complex/02' in text
    assert 'SSD (published, real HeRCULES data)' in text
