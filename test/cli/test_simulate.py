# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `simulate`: files that the HeRCULES reader takes, pictures, statistics, bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.cli.simulate import command as simulate
from ssd_ros.cli.simulate.jobs import jobs_of, LAYOUTS, written_drives
from ssd_ros.datasets.formats.open_sequence import open_sequence
from ssd_ros.simulator.config import DIFFICULTIES, PRESETS, WEATHERS, WORLD_STYLES
from ssd_ros.simulator.sensors import LIDARS


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp('simulated')
    assert simulate.main(['generate', '--preset', 'unit', '--out', str(root)]) == 0
    return root


def test_choices_are_those_of_the_simulator() -> None:
    assert tuple(PRESETS) == simulate.PRESETS
    assert tuple(DIFFICULTIES) == simulate.DIFFICULTIES
    assert WORLD_STYLES == simulate.WORLDS
    assert tuple(WEATHERS) == simulate.WEATHERS
    assert tuple(LIDARS) == simulate.LIDARS
    assert tuple(LAYOUTS) == simulate.LAYOUTS


def test_what_is_written_reads_back_as_it_was_simulated(data: Path) -> None:
    simulated = jobs_of('unit', 'default')[1].sequence()
    recorded = open_sequence(data / 'Sim_Town_4000' / '02')
    assert recorded.name == simulated.name
    np.testing.assert_array_equal(recorded.cloud_stamps_ns, simulated.cloud_stamps_ns)
    np.testing.assert_array_equal(recorded.scan_stamps_ns, simulated.scan_stamps_ns)
    assert (len(recorded.cloud_stamps_ns), len(recorded.scan_stamps_ns)) == (60, 12)
    np.testing.assert_allclose(
        recorded.scan_poses.positions_m, simulated.scan_poses.positions_m, atol=1e-5
    )
    np.testing.assert_array_equal(recorded.scan(11).power, simulated.scan(11).power)
    cloud, truth = recorded.cloud(59), simulated.cloud(59)
    np.testing.assert_array_equal(cloud.xyz_m, truth.xyz_m)
    np.testing.assert_array_equal(cloud.rcs_dbsm, truth.rcs_dbsm)
    assert cloud.rcs_dbsm.min() < 0  # signed
    np.testing.assert_array_equal(cloud.radial_velocity_mps, truth.radial_velocity_mps)


def test_the_metadata_suffice_to_simulate_again(data: Path) -> None:
    metadata = json.loads((data / 'Sim_Town_4000' / '01' / 'sim_meta.json').read_text())
    job = jobs_of('unit', 'default')[0]
    assert metadata['simulated'] is True
    assert metadata['seed'] == job.seed == 4000
    assert metadata['conditions']['cloud']['snr_db'] == 19.0
    assert metadata == json.loads(json.dumps(job.metadata()))


def test_a_second_run_keeps_what_is_there(data: Path) -> None:
    scan = next((data / 'Sim_Town_4000' / '01').rglob('*.png'))
    before_ns = scan.stat().st_mtime_ns
    assert simulate.main(['generate', '--preset', 'unit', '--out', str(data)]) == 0
    assert scan.stat().st_mtime_ns == before_ns


def test_another_configuration_does_not_overwrite(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = simulate.main(
        ['generate', '--preset', 'unit', '--difficulty', 'easy', '--out', str(data)]
    )
    assert code == 1
    assert 'holds another drive: remove it or choose another --out' in capsys.readouterr().err


def test_statistics_of_the_unit_world_pass(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.main(['stats', str(data)]) == 0
    output = capsys.readouterr().out
    assert 'Sim_Town_4000/02 (simulated)' in output
    assert 'OUTSIDE' not in output


def test_a_drive_whose_writing_was_killed_is_left_out(tmp_path: Path) -> None:
    for name in ('01', '.01.k3v9x1'):
        (tmp_path / 'Town' / name).mkdir(parents=True)
        (tmp_path / 'Town' / name / 'sim_meta.json').write_text('{}')
    assert written_drives(tmp_path) == [tmp_path / 'Town' / '01']


def test_statistics_of_nothing_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.main(['stats', str(tmp_path)]) == 1
    assert 'holds no simulated drive' in capsys.readouterr().err


def test_rain_needs_a_value_for_each_session(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ['generate', '--preset', 'unit', '--out', str(tmp_path), '--rain', '0,0,8']
    assert simulate.main(arguments) == 1
    assert 'rain for 3 sessions is given, expected 2 values' in capsys.readouterr().err


def test_rain_and_native_bins_reach_the_sessions() -> None:
    dry, wet = jobs_of('unit', 'default', rain_mm_per_h=[0.0, 8.0], is_native=True)
    assert dry.conditions.rain_mm_per_h == 0
    assert wet.conditions.rain_mm_per_h == 8
    assert wet.sequence().scan(0).power.shape == (3424, 400)


def test_a_preview_is_a_picture(tmp_path: Path) -> None:
    path = tmp_path / 'preview.png'
    assert simulate.main(['preview', '--frame', '100', '--out', str(path)]) == 0
    assert path.read_bytes().startswith(b'\x89PNG')


def test_a_place_that_repeats_itself_has_a_name_of_its_own(tmp_path: Path) -> None:
    arguments = ['generate', '--preset', 'unit', '--sessions', '1', '--out', str(tmp_path)]
    assert simulate.main([*arguments, '--world', 'tunnel']) == 0
    metadata = json.loads((tmp_path / 'Sim_Tunnel_4000' / '01' / 'sim_meta.json').read_text())
    assert metadata['preset']['world']['style'] == 'tunnel'
    usual = jobs_of('unit', 'default')[0].metadata()
    assert 'style' not in usual['preset']['world']
    # As written by all versions: drives on disk are known again.
    assert usual['config_sha256'].startswith('830a7443d04e49ba')


def test_a_preview_of_a_missing_frame_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / 'preview.png'
    assert simulate.main(['preview', '--frame', '100000', '--out', str(path)]) == 1
    assert 'has no 4D scan 100000, only' in capsys.readouterr().err
    assert not path.exists()


@pytest.mark.parametrize(
    'arguments',
    [
        [],
        ['generate'],
        ['generate', '--out', 'x', '--preset', 'huge'],
        ['generate', '--out', 'x', '--rain', 'heavy'],
        ['generate', '--out', 'x', '--weather', 'clear,hail'],
        ['generate', '--out', 'x', '--lidar', 'solid'],
        ['generate', '--out', 'x', '--seed', '-1'],
        ['preview', '--out', 'x', '--frame', '-3'],
    ],
)
def test_wrong_usage_leaves_with_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        simulate.main(arguments)
    assert left.value.code == 2


def test_lidar_and_weather_reach_the_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ['generate', '--preset', 'unit', '--out', str(tmp_path), '--lidar', 'fmcw']
    assert simulate.main([*arguments, '--weather', 'clear,fog']) == 0
    jobs = jobs_of('unit', 'default', weather=['clear', 'fog'], lidar='fmcw')
    counts = []
    for number, job in enumerate(jobs, start=1):
        recorded = open_sequence(tmp_path / 'Sim_Town_4000' / f'{number:02d}')
        simulated = job.sequence()
        np.testing.assert_array_equal(recorded.lidar_stamps_ns, simulated.lidar_stamps_ns)
        assert len(recorded.lidar_stamps_ns) == 6  # 3 s at 2 Hz
        scan, truth = recorded.lidar(5), simulated.lidar(5)
        np.testing.assert_array_equal(scan.xyz_m, truth.xyz_m)
        np.testing.assert_array_equal(scan.intensity, truth.intensity)
        np.testing.assert_array_equal(scan.radial_velocity_mps, truth.radial_velocity_mps)
        np.testing.assert_allclose(
            recorded.lidar_poses.positions_m, simulated.lidar_poses.positions_m, atol=1e-5
        )
        counts.append(len(scan))
    assert jobs[1].conditions.fog_visibility_m == 100
    assert counts[1] < counts[0]


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--weather', 'fog'], 'weather for 1 sessions is given, expected 2 values'),
        (['--weather', 'fog,fog', '--rain', '0,8'], 'rain and weather are given: choose one'),
    ],
)
def test_weather_that_does_not_fit_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert simulate.main(['generate', '--preset', 'unit', '--out', str(tmp_path), *options]) == 1
    assert message in capsys.readouterr().err


def test_the_speed_of_every_sensor_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.main(['speed', '--scans', '1']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith('simulated')
    sensors = ('4D radar', 'spinning radar', 'spinning LiDAR', 'fmcw LiDAR')
    for line, sensor in zip(lines[1:], sensors, strict=True):
        assert line.startswith(f'  {sensor} ')
        assert 'ms a scan' in line
