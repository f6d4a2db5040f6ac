# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the list of simulated worlds: what is in it, and that purposes never mix."""

from __future__ import annotations

from dataclasses import replace
import hashlib
from pathlib import Path

import pytest
from ssd_ros.simulator.config import (
    Conditions,
    DEMO_SEED,
    DIFFICULTIES,
    Driving,
    UNIT_SEED,
    WorldConfig,
)
from ssd_ros.simulator.recordings.benchmark import Benchmark, load_benchmark

FILE = Path(__file__).parents[3] / 'config' / 'benchmark.yaml'
SPLIT = """
version: 1
splits:
  - name: {name}
    map_images: {{student_m: 4.0}}
    query_images: {{panorama_m: null}}
    places: [{{seed: {seed}, sessions: [{session}]}}]
"""


@pytest.fixture(scope='module')
def benchmark() -> Benchmark:
    return load_benchmark(FILE)


def seeds_of(benchmark: Benchmark, name: str) -> list[int]:
    return [place.seed for place in benchmark.split(name).places]


def test_the_splits_are_the_frozen_ones(benchmark: Benchmark) -> None:
    assert benchmark.version == 1
    assert seeds_of(benchmark, 'train') == list(range(10))
    assert seeds_of(benchmark, 'validation') == [1000, 1001]
    assert seeds_of(benchmark, 'validation_hard') == [1002, 1003]
    assert seeds_of(benchmark, 'validation_trust') == list(range(1004, 1010))
    assert seeds_of(benchmark, 'validation_turns') == [1030, 1031]
    assert seeds_of(benchmark, 'test') == [2000, 2001, 2002]
    assert seeds_of(benchmark, 'test_trust') == [2003, 2004, 2005]


def test_no_world_serves_two_purposes(benchmark: Benchmark) -> None:
    seeds = [place.seed for split in benchmark.splits for place in split.places]
    assert len(set(seeds)) == len(seeds) == 28
    assert not {DEMO_SEED, UNIT_SEED} & set(seeds)


def test_the_papers_splits_have_three_sessions_of_a_place(benchmark: Benchmark) -> None:
    for name, expected in (('train', 2), ('validation', 3), ('validation_hard', 3), ('test', 3)):
        assert {len(place.sessions) for place in benchmark.split(name).places} == {expected}


def test_only_the_map_of_validation_has_panoramas(benchmark: Benchmark) -> None:
    split = benchmark.split('validation')
    spacings = [split.spacing(visit).panorama_m for visit in split.places[0].sessions]
    assert spacings == [2.0, None, None]


def test_the_hard_split_has_the_conditions_of_the_hard_difficulty(benchmark: Benchmark) -> None:
    for place in benchmark.split('validation_hard').places:
        first, second, third = (visit.conditions for visit in place.sessions)
        assert first == second == DIFFICULTIES['hard']
        assert third.opposite_direction
        assert third.cloud.snr_db == 14.0


def test_the_third_place_of_the_test_is_covered_in_part_and_driven_back(
    benchmark: Benchmark,
) -> None:
    visits = benchmark.split('test').places[2].sessions
    assert [visit.part for visit in visits] == [(0.0, 0.75), (0.4, 1.0), (0.2, 0.9)]
    assert [visit.conditions.opposite_direction for visit in visits] == [False, True, False]


def test_the_digest_of_a_drive_changes_with_its_conditions(benchmark: Benchmark) -> None:
    places = benchmark.split('test').places
    digests = {place.digest(visit) for place in places for visit in place.sessions}
    assert len(digests) == 9


def test_options_that_came_later_leave_the_digests_of_drives_as_they_were(
    benchmark: Benchmark,
) -> None:
    digests = [
        place.digest(visit)
        for split in benchmark.splits
        if split.name != 'validation_turns'  # came later itself
        for place in split.places
        for visit in place.sessions
    ]
    assert digests[0].startswith('fddedf913070035c')
    together = hashlib.sha256(''.join(digests).encode()).hexdigest()
    assert (len(digests), together[:16]) == (61, 'ca4f7f5f49fc9a27')
    first = benchmark.split('train').places[0]
    tunnel = replace(first, world=replace(first.world, style='tunnel'))
    assert tunnel.digest(first.sessions[0]) != digests[0]
    parked = replace(first.sessions[0], conditions=Conditions(driving=Driving(stand_s=60.0)))
    assert first.digest(parked) != digests[0]


def test_places_and_vehicles_of_other_kinds_are_read(tmp_path: Path) -> None:
    path = tmp_path / 'benchmark.yaml'
    path.write_text(
        SPLIT.format(
            name='train', seed=7, session='{name: "01", conditions: {driving: {stand_s: 9}}}'
        ).replace('seed: 7', 'seed: 7, world: {style: doubled, copy_changes: 0.1}')
    )
    (place,) = load_benchmark(path).split('train').places
    assert place.world == WorldConfig(style='doubled', copy_changes=0.1)
    assert place.sessions[0].conditions.driving == Driving(stand_s=9.0)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'name': 'train', 'seed': 2000}, "world 2000 cannot serve 'train': .* 0 ... 999"),
        ({'name': 'test', 'seed': 1000}, "world 1000 cannot serve 'test': .* 2000 ... 2099"),
        ({'name': 'tests'}, "a split is named 'tests', expected train, validation, test"),
        ({'session': '{name: "02"}'}, r"the sessions of world 7 are \['02'\], expected 01, 02"),
        ({'session': ''}, r'the sessions of world 7 are \[\]'),
        ({'session': '{name: "1"}'}, "the session is named '1', expected 01, 02"),
        ({'session': '{name: "01", part: [0.5, 0.5]}'}, r'part of session 01 is \[0.5, 0.5\]'),
        (
            {'session': '{name: "01", conditions: {snow: 3}}'},
            'unknown option splits.places.sessions.conditions.snow; choose from .*snow_mm_per_h',
        ),
    ],
)
def test_a_wrong_benchmark_is_refused_with_the_reason(
    tmp_path: Path, options: dict[str, object], message: str
) -> None:
    path = tmp_path / 'benchmark.yaml'
    usual: dict[str, object] = {'name': 'train', 'seed': 7, 'session': '{name: "01"}'}
    path.write_text(SPLIT.format(**(usual | options)))
    with pytest.raises(ValueError, match=message):
        load_benchmark(path)


def test_a_world_in_two_splits_is_refused(tmp_path: Path) -> None:
    text = FILE.read_text().replace('- {seed: 1003, sessions: *hard_visits}', '')
    path = tmp_path / 'benchmark.yaml'
    path.write_text(text.replace('seed: 1002', 'seed: 1001'))
    with pytest.raises(ValueError, match="world 1001 is in 'validation' and 'validation_hard'"):
        load_benchmark(path)


def test_another_version_and_an_unknown_split_are_refused(
    tmp_path: Path, benchmark: Benchmark
) -> None:
    path = tmp_path / 'benchmark.yaml'
    path.write_text(FILE.read_text().replace('version: 1', 'version: 2'))
    with pytest.raises(ValueError, match='version is 2, expected 1'):
        load_benchmark(path)
    with pytest.raises(ValueError, match="no split 'demo'; choose from train, validation, "):
        benchmark.split('demo')
