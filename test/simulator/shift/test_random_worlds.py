# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check worlds and radars drawn at random: what is frozen, and that purposes never mix."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from ssd_ros.cli.cache.drives import benchmark_drives
from ssd_ros.simulator.config import Conditions
from ssd_ros.simulator.recordings.benchmark import load_benchmark
from ssd_ros.simulator.scene.world import World
from ssd_ros.simulator.shift.random_worlds import load_random_worlds, RandomWorlds, Range
from ssd_ros.simulator.shift.sensors import load_shift
from ssd_ros.simulator.visits.session import Session

CONFIG = Path(__file__).parents[3] / 'config'
TEXT = """
version: 2
splits:
  - name: {name}
    first_seed: {seed}
    num_worlds: 2
    num_sessions: 2
    map_images: {{}}
    query_images: {{}}
    styles: [{style}]
    ranges: [{drawn}]
"""


@pytest.fixture(scope='module')
def worlds() -> RandomWorlds:
    return load_random_worlds(CONFIG / 'random_worlds.yaml')


@pytest.mark.parametrize(
    ('name', 'num', 'expected'),
    [
        ('train_wide', 120, '79f4cfad958a724e'),
        ('train_back', 60, '1c6f5b02a1c6fb56'),
        ('validation_far', 8, '7d849057ee32f98a'),
        ('test_far', 12, '249650856632339b'),
    ],
)
def test_the_drives_are_the_frozen_ones(name: str, num: int, expected: str) -> None:
    digests = [job.source.digest for job in benchmark_drives(name)]
    assert len(set(digests)) == num
    assert hashlib.sha256(''.join(digests).encode()).hexdigest()[:16] == expected


def test_no_world_is_in_another_split_of_any_benchmark(worlds: RandomWorlds) -> None:
    benchmark = load_benchmark(CONFIG / 'benchmark.yaml')
    others = {place.seed for split in benchmark.splits for place in split.places}
    for half in load_shift(CONFIG / 'shift.yaml', benchmark).halves:
        others |= set(half.seeds)
    seeds = set(worlds.seeds)
    assert len(seeds) == 100
    assert not seeds & others


def test_every_world_of_train_back_is_driven_once_in_either_direction(
    worlds: RandomWorlds,
) -> None:
    (back,) = (one for one in worlds.splits if one.name == 'train_back')
    for place in back.split().places:
        directions = [visit.conditions.opposite_direction for visit in place.sessions]
        assert directions == [False, True]


def test_what_is_far_shares_no_style_and_few_values_with_what_is_trained_on(
    worlds: RandomWorlds,
) -> None:
    wide, back, *far = worlds.splits
    assert (back.ranges, back.styles) == (wide.ranges, wide.styles)
    assert [split.name for split in far] == ['validation_far', 'test_far']
    for split in far:
        assert not set(split.styles) & set(wide.styles)
        trained = {(one.of, one.name): one for one in wide.ranges}
        apart = [
            f'{one.of}.{one.name}'
            for one in split.ranges
            if (one.of, one.name) in trained
            and not (
                one.low <= trained[one.of, one.name].high
                and trained[one.of, one.name].low <= one.high
            )
        ]
        assert len(apart) == 19
        # In each radar what is worse than all that was trained on, and what is better.
        assert {'spinning.beam_scale', 'spinning.noise_counts'} <= set(apart)
        assert {'cloud.range_cell_m', 'cloud.snr_db'} <= set(apart)


def test_every_radar_and_world_of_training_differs(worlds: RandomWorlds) -> None:
    wide = worlds.splits[0]
    places = wide.split().places
    assert len(places) == 60
    assert len({visit.conditions for place in places for visit in place.sessions}) == 120
    assert {place.world.style for place in places} == set(wide.styles)
    numbers = [wide.change(place.seed).num_points for place in places]
    assert all(30 <= number <= 2500 for number in numbers if number is not None)
    assert sum(number is None for number in numbers) == pytest.approx(12, abs=8)
    for place in places:
        first, second = (visit.conditions for visit in place.sessions)
        assert (first.spinning, first.cloud) == (second.spinning, second.cloud)
        assert first.parked_occupancy != second.parked_occupancy


def test_what_is_drawn_depends_on_the_seed_and_the_range_alone() -> None:
    height = Range('spinning', 'height_m', 1.5, 2.5)
    assert height.draw(100) == height.draw(100) == height.draw(100, 0)
    assert height.draw(100) != height.draw(101)
    drawn = [height.draw(seed)['height_m'] for seed in range(500)]
    assert 1.5 <= min(drawn) < 1.52 < 2.48 < max(drawn) <= 2.5
    decades = [Range('change', 'num_points', 10, 1000, True).draw(seed) for seed in range(500)]
    assert sum(one['num_points'] < 100 for one in decades) == pytest.approx(250, abs=40)
    rare = [Range('visit', 'opposite_direction', share=0.2).draw(seed) for seed in range(500)]
    assert sum(one.get('opposite_direction', False) for one in rare) == pytest.approx(100, abs=30)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'name': 'test_far'}, "world 100 cannot serve 'test_far'"),
        ({'style': 'village'}, "styles of 'train_wide' are .'village'.*choose from town"),
        ({'style': ''}, r"styles of 'train_wide' are \[\]"),
        ({'drawn': '{of: lidar, name: height_m}'}, "a range is of 'lidar', expected one of world"),
        ({'drawn': '{of: cloud, name: size_m}'}, 'a range is of cloud.size_m, which is no number'),
        ({'drawn': '{of: world, name: style}'}, 'world.style, which is no number'),
        ({'drawn': '{of: cloud, name: snr_db, low: 2}'}, 'cloud.snr_db is drawn from 2 ... 1'),
        (
            {'drawn': '{of: cloud, name: snr_db, low: 0, is_log: true}'},
            'cloud.snr_db is drawn from 0 ... 1',
        ),
        ({'drawn': '{of: cloud, name: snr_db, share: 0}'}, 'share of cloud.snr_db is 0'),
        (
            {'drawn': '{of: cloud, name: snr_db}, {of: cloud, name: snr_db}'},
            "an option of 'train_wide' is drawn twice",
        ),
        (
            {'drawn': '{of: cloud, name: half_fov_deg, low: 500, high: 500}'},
            'half_fov_deg is 500.0, expected 1 .. 85',
        ),
    ],
)
def test_a_wrong_list_is_refused_with_the_reason(
    tmp_path: Path, options: dict[str, str], message: str
) -> None:
    path = tmp_path / 'random_worlds.yaml'
    usual = {'name': 'train_wide', 'seed': '100', 'style': 'town', 'drawn': ''}
    path.write_text(TEXT.format(**(usual | options)))
    with pytest.raises(ValueError, match=message):
        [split.split() for split in load_random_worlds(path).splits]


def test_a_drawn_drive_has_scans_of_its_radars() -> None:
    job = next(job for job in benchmark_drives('train_wide') if job.directory.endswith('0103_1'))
    drive = job.source.open()
    conditions = job.source.visit.conditions  # type: ignore[attr-defined]
    assert drive.scan(0).power.shape == (conditions.spinning.num_bins, 400)
    assert len(drive.cloud(9)) <= (job.source.change.num_points or 4000)  # type: ignore[attr-defined]


@pytest.mark.parametrize('style', ['suburb', 'industrial', 'forest_edge', 'old_town', 'campus'])
def test_other_towns_leave_their_streets_free(worlds: RandomWorlds, style: str) -> None:
    split = next(one for one in worlds.splits if style in one.styles)
    place = next(one for one in split.split().places if one.world.style == style)
    world = World(place.seed, place.world)
    drive = Session(world, 1, Conditions()).drive
    buildings = world.occluders.kind == 0
    ax, ay = world.occluders.ax[buildings], world.occluders.ay[buildings]
    for x_m, y_m in drive.xy_m[::40]:
        assert min((ax - x_m) ** 2 + (ay - y_m) ** 2) > 2.0**2
