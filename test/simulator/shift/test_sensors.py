# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the list of the benchmark of shift: what it holds, and that its halves share nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ssd_ros.simulator.config import TEST_SEEDS, VALIDATION_SEEDS
from ssd_ros.simulator.recordings.benchmark import Benchmark, load_benchmark
from ssd_ros.simulator.shift.sensors import load_shift, ShiftBenchmark

CONFIG = Path(__file__).parents[3] / 'config'


@pytest.fixture(scope='module')
def benchmark() -> Benchmark:
    return load_benchmark(CONFIG / 'benchmark.yaml')


@pytest.fixture(scope='module')
def shift(benchmark: Benchmark) -> ShiftBenchmark:
    return load_shift(CONFIG / 'shift.yaml', benchmark)


def test_the_judging_half_holds_every_radar_made_of_the_plain_one(shift: ShiftBenchmark) -> None:
    drive = {sensor.name: sensor.drive for sensor in shift.half('shift').sensors}
    cloud = {name: change.cloud for name, change in drive.items()}
    assert {num: cloud[f'points_{num}'].num_points for num in (10, 20, 50, 100)} == {
        10: 10, 20: 20, 50: 50, 100: 100}  # fmt: skip
    assert cloud['range_50_m'].max_range_m == 50
    assert cloud['fov_60_deg'].half_fov_deg == 30
    assert cloud['fov_150_deg'].half_fov_deg == 75
    gains = [
        cloud[f'gain_{sign}_{num}_db'].gain_db for sign in ('plus', 'minus') for num in (6, 12)
    ]
    assert gains == [6, 12, -6, -12]
    assert cloud['rcs_random'].rcs_std_db == 10
    assert cloud['range_bias_2'].range_scale == 1.02
    assert [drive[f'rate_{num}_hz'].rate_hz for num in (10, 15)] == [10, 15]
    assert cloud['false_alarms_120'].num_false_alarms == 120
    assert [cloud[f'yaw_{num}_deg'].yaw_deg for num in (3, 5)] == [3, 5]
    assert cloud['pitch_3_deg'].pitch_deg == cloud['roll_3_deg'].roll_deg == 3
    assert sum(length**2 for length in drive['offset_1_m'].offset_m) == pytest.approx(1)
    assert drive['reverse'].is_reversed


def test_the_judging_half_holds_every_radar_that_is_simulated_and_every_map(
    shift: ShiftBenchmark,
) -> None:
    named = {sensor.name: sensor for sensor in shift.half('shift').sensors}
    seen = {name: sensor.conditions for name, sensor in named.items() if sensor.conditions}
    assert seen['clustered_15_deg'].cloud.azimuth_cell_deg == 15
    assert seen['clustered_15_deg'].cloud.azimuth_step_deg == 15
    assert seen['clustered_15_deg'].cloud.max_range_m == 35
    assert seen['dense_2500'].cloud.max_detections == 4000
    assert seen['parked_45_s'].driving.stand_s == 45
    assert seen['creeping_0_3_mps'].driving.speed_mps == 0.3
    assert seen['heavy_rain_50_mm'].rain_mm_per_h == 50
    assert seen['snow_6_mm'].snow_mm_per_h == 6
    assert [worlds.world.style for worlds in shift.half('shift').worlds] == [
        'equal_blocks', 'car_park', 'doubled', 'avenue', 'motorway', 'tunnel']  # fmt: skip
    assert named['map_off_2_m'].map.position_error_m == 2
    assert named['map_keyframes_4_m'].map.keyframe_distance_m == 4
    assert named['map_brighter_25_px'].map.brightness_px == 25


def test_each_half_has_worlds_of_its_own_that_no_split_has(
    shift: ShiftBenchmark, benchmark: Benchmark
) -> None:
    fitting, judging = (set(half.seeds) for half in shift.halves)
    others = {place.seed for split in benchmark.splits for place in split.places}
    assert fitting <= set(VALIDATION_SEEDS)
    assert judging <= set(TEST_SEEDS)
    assert not others & (fitting | judging)
    # Of its own place and of five others.
    assert shift.half('shift').num_others == 5


def test_no_sensor_is_in_both_halves_under_any_name(shift: ShiftBenchmark) -> None:
    fitting, judging = shift.halves
    renamed = replace(judging.sensors[1], name='something_else')
    spoilt = replace(fitting, sensors=(*fitting.sensors, renamed))
    with pytest.raises(ValueError, match="'points_10' is the same as 'something_else'"):
        replace(shift, halves=(spoilt, judging))
    other = replace(judging.sensors[2], name=fitting.sensors[0].name)
    spoilt = replace(judging, sensors=(*judging.sensors, other))
    with pytest.raises(ValueError, match="'points_15' is there twice"):
        replace(shift, halves=(fitting, spoilt))


def test_a_world_of_another_purpose_is_refused(
    shift: ShiftBenchmark, benchmark: Benchmark, tmp_path: Path
) -> None:
    fitting, judging = shift.halves
    with pytest.raises(ValueError, match="world 2010 cannot serve 'shift_fit'"):
        replace(fitting, towns=(*fitting.towns, 2010))
    with pytest.raises(ValueError, match='expected each once'):
        replace(judging, towns=(*judging.towns, 2010))
    path = tmp_path / 'shift.yaml'
    path.write_text((CONFIG / 'shift.yaml').read_text().replace('2010, 2011', '2003, 2011'))
    with pytest.raises(ValueError, match="world 2003 of 'shift' is in 'test_trust', too"):
        load_shift(path, benchmark)


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        ('num_points: 10}', 'num_points: ten}', r'num_points is .ten.'),
        ('num_points: 10}', 'number: 10}', r'unknown option .*number'),
        ('name: points_10,', 'name: Points/10,', "named 'Points/10'"),
        ('version: 1', 'version: 2', 'version is 2, expected 1'),
        ('name: shift_fit', 'name: fit', "a half is named 'fit'"),
        ('rate_hz: 10.0', 'rate_hz: 0.0', r'rate_hz is 0\.0'),
    ],
)
def test_a_wrong_list_is_refused_by_name(
    benchmark: Benchmark, tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = (CONFIG / 'shift.yaml').read_text()
    assert old in text
    path = tmp_path / 'shift.yaml'
    path.write_text(text.replace(old, new))
    with pytest.raises(ValueError, match=rf'shift\.yaml: .*{message}'):
        load_shift(path, benchmark)
