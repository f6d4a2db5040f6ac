# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check which radars are asked of which maps in the benchmark of shift, and what is told of it."""

from __future__ import annotations

from dataclasses import replace
import json
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.cli.trust.asked.answers import PairAnswers
from ssd_ros.cli.trust.asked.jobs import Files, Models
from ssd_ros.cli.trust.command import main
from ssd_ros.cli.trust.judged.acceptance import acceptance_of, acceptance_table, by_shift
from ssd_ros.cli.trust.judged.tables import Judged, summary
from ssd_ros.cli.trust.report import write_report
from ssd_ros.cli.trust.shift import answers_of_half, lessons_of, load_half, plan_of
from ssd_ros.cli.trust.shift_sources import PlainDrive, ShiftedDrive
from ssd_ros.reports.document import Table
from ssd_ros.simulator.config import WorldConfig
from ssd_ros.simulator.shift.sensors import Half, Parts
from support.posts import write_small_encoder
from support.reading.pages import numbers, page_of

FILES = Files(Path('work'), 'a' * 64)


def half_of(names: set[str], towns: tuple[int, ...], **options: object) -> Half:
    half = load_half('shift_fit')
    sensors = tuple(sensor for sensor in half.sensors if sensor.name in names)
    assert len(sensors) == len(names)
    return replace(half, towns=towns, num_others=1, sensors=sensors, worlds=(), **options)


def test_a_radar_is_asked_in_both_maps_of_its_place_and_of_five_others() -> None:
    plan = plan_of(load_half('shift'), FILES, ('spinning', '4d'))
    asked = [pair for pair in plan.asked if pair.shift == 'points_10' and '2012' in pair.queries]
    assert {pair.queries for pair in asked} == {'shift/points_10/2012_queries'}
    places = range(2010, 2016)
    assert sorted(pair.map_path for pair in asked) == sorted(
        [f'shift/plain/{seed}_scans/spinning.map' for seed in places]
        + [f'shift/points_10/{seed}_clouds/4d.map' for seed in places]
    )


def test_what_differs_decides_whose_maps_and_queries_are_taken() -> None:
    plan = plan_of(load_half('shift'), FILES, ('spinning', '4d'))
    asked = {(pair.shift, pair.queries, pair.map_path) for pair in plan.asked}
    for expected in (
        ('untouched', 'plain/2010_queries', 'plain/2010_clouds/4d.map'),
        # The visit differs, not the radar.
        ('heavy_rain_50_mm', 'heavy_rain_50_mm/2010_queries', 'plain/2011_clouds/4d.map'),
        ('reverse', 'reverse/2010_queries', 'plain/2010_clouds/4d.map'),
        # The map differs, not the radar.
        ('map_off_2_m', 'plain/2010_queries', 'map_off_2_m/2010_clouds/4d.map'),
        ('map_off_2_m', 'plain/2010_queries', 'map_off_2_m/2010_scans/spinning.map'),
        ('map_brighter_25_px', 'plain/2010_queries', 'map_brighter_25_px/2010_scans/spinning.map'),
    ):
        shift, *paths = expected
        assert (shift, *(f'shift/{path}' for path in paths)) in asked
    # Only the spinning radar is brighter.
    assert not [1 for shift, _, path in asked if shift == 'map_brighter_25_px' and '4d' in path]


def test_worlds_that_repeat_themselves_are_asked_of_each_other() -> None:
    plan = plan_of(load_half('shift'), FILES, ('spinning', '4d'))
    asked = [pair for pair in plan.asked if pair.shift == 'tunnel']
    assert {pair.queries for pair in asked} == {
        f'shift/tunnel/{seed}_queries' for seed in (2030, 2031)
    }
    # In a ring: the other tunnel is a neighbour, then come motorways and, round the end, blocks.
    places = {
        2030: [2030, 2029, 2031, 2028, 2020, 2027],
        2031: [2031, 2030, 2020, 2029, 2021, 2028],
    }
    for seed, expected in places.items():
        maps = [pair.map_path for pair in asked if f'{seed}_q' in pair.queries]
        spinning = [path.split('/')[2] for path in maps if path.endswith('spinning.map')]
        assert spinning == [f'{place}_scans' for place in expected]


def test_every_map_that_is_asked_is_made_and_the_plain_scans_are_simulated_once() -> None:
    plan = plan_of(load_half('shift'), FILES, ('spinning', '4d'))
    made = {f'{drive.directory}/{kind}.map' for drive in plan.drives.values()
            for kind in drive.sensors if drive.is_map}  # fmt: skip
    made |= {str(path.relative_to(FILES.map(''))) for path in plan.changed}
    assert {pair.map_path for pair in plan.asked} <= made
    assert {pair.queries for pair in plan.asked} <= set(plan.drives)
    of_points = plan.drives['shift/points_10/2010_queries'].source
    of_gain = plan.drives['shift/gain_plus_6_db/2010_queries'].source
    assert isinstance(of_points, ShiftedDrive)
    assert isinstance(of_gain, ShiftedDrive)
    assert of_points.stored == of_gain.stored
    assert of_points.digest != of_gain.digest


def test_a_drive_of_another_part_or_brightness_has_another_digest() -> None:
    half = half_of({'points_15'}, (1010, 1011))
    shorter = replace(half, town_parts=replace(half.town_parts, scans=(0.0, 0.5)))
    drives = [
        plan_of(each, FILES, ('spinning', '4d')).drives['shift_fit/plain/1010_scans'].source
        for each in (half, shorter)
    ]
    assert drives[0].digest != drives[1].digest
    assert isinstance(drives[0], PlainDrive)
    assert replace(drives[0], brightness_px=0).digest == drives[0].digest
    assert replace(drives[0], brightness_px=1).digest != drives[0].digest


@pytest.fixture(scope='module')
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[PairAnswers]:
    """Return those of three shifts in two towns, on 20 m of way."""
    directory = tmp_path_factory.mktemp('shift')
    models = Models(
        write_small_encoder(directory / 'student.onnx', '4d'),
        write_small_encoder(directory / 'teacher.onnx', 'spinning'),
    )
    part = 0.1, 0.15
    half = half_of(
        {'points_30', 'map_off_1_m'},
        (1010, 1011),
        town_parts=Parts(part, part, part),
        town=WorldConfig(size_m=230.0, route_length_m=400.0),
    )
    work = directory / 'work'
    first = answers_of_half(half, models, work, query_m=4.0, num_processes=1)
    before = {path: path.stat().st_mtime_ns for path in work.rglob('*') if path.is_file()}
    again = answers_of_half(half, models, work, query_m=4.0, num_processes=1)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(first) == len(again) == 2 * 2 * 4
    return first


def test_answers_tell_what_was_shifted(answers: list[PairAnswers]) -> None:
    assert {(pair.shift, pair.sensor, pair.is_stranger) for pair in answers} == {
        (shift, sensor, is_stranger)
        for shift in ('points_30', 'map_off_1_m')
        for sensor in ('spinning', '4d')
        for is_stranger in (False, True)
    }
    assert {pair.origin for pair in answers} == {'simulated'}
    assert all(4 <= len(pair) <= 7 for pair in answers)
    own = [pair for pair in answers if not pair.is_stranger and pair.shift == 'points_30']
    assert max(pair.nearest_m.max() for pair in own) < 3


def judged_of(
    answers: PairAnswers, confidence: list[float], right: list[bool], threshold: float = 0.5
) -> Judged:
    """Return answers as if a calibration had found this of the first queries."""
    num, given = len(answers), np.array(confidence)
    assert len(given) == len(right) == num
    first = np.zeros(num, np.int64)
    return Judged(answers, first, given, given >= threshold, np.array(right))


def _with_queries(answers: PairAnswers, num: int) -> PairAnswers:
    """Return the answers with so many queries, the first ones again and again."""
    arrays = {name: getattr(answers, name) for name in answers.__slots__}
    return replace(
        answers,
        **{
            name: np.resize(values, (num, *values.shape[1:]))
            for name, values in arrays.items()
            if isinstance(values, np.ndarray)
        },
    )


@pytest.fixture
def judged(answers: list[PairAnswers]) -> list[Judged]:
    """Return one map with eight queries of its own place, one with eight strangers."""
    own, strange = (
        next(pair for pair in answers if pair.is_stranger == is_stranger)
        for is_stranger in (False, True)
    )
    eight = [_with_queries(pair, 8) for pair in (own, strange)]
    return [
        judged_of(eight[0], [0.9] * 4 + [0.8] + [0.2] * 3, [True] * 4 + [False] * 3 + [True]),
        judged_of(eight[1], [0.6] + [0.1] * 7, [False] * 8),
    ]


def test_bounds_and_what_confidence_tells(judged: list[Judged]) -> None:
    ((key, group),) = by_shift(judged).items()
    figures = acceptance_of(group)
    assert key == ('points_30', 'spinning')
    assert (figures['num_queries'], figures['num_accepted']) == (8, 5)
    assert figures['accepted_precision'] == pytest.approx(4 / 5)
    assert figures['precision_bound'] == pytest.approx(0.3426, abs=1e-4)  # of tables
    assert figures['num_strangers_accepted'] == 1
    assert figures['stranger_bound'] == pytest.approx(0.4707, abs=1e-4)
    # Five right answers against eleven wrong: one right is as sure as two wrong, less than two.
    assert figures['auroc'] == pytest.approx((4 * 11 + 7 + 2 / 2) / 55)
    # Wrong of those answered: 0 of 4, 1 of 5, 3 of 8.
    assert figures['risk_coverage_area'] == pytest.approx((0 * 4 + 1 / 5 + 3 / 8 * 3) / 8)


def test_the_table_has_a_line_for_each_shift_and_the_drives_none(
    judged: list[Judged], answers: list[PairAnswers]
) -> None:
    assert summary(judged) is None
    table = markdown(acceptance_table(judged))
    assert table.count('\n') == 2
    assert '| points_30 | spinning | 8 | 5 | 0.800 | 0.343 |' in table
    plain = [replace(item, answers=replace(item.answers, shift='')) for item in judged]
    assert '| not shifted | spinning | 8 | 5 |' in markdown(acceptance_table(plain))
    assert markdown(summary(plain)).count('\n') == 1 + 1 + 2


def markdown(table: Table | None) -> str:
    assert table is not None
    return table.markdown()


def test_the_report_holds_curves_and_diagrams(judged: list[Judged], tmp_path: Path) -> None:
    table = acceptance_table(judged)
    assert table is not None
    write_report(tmp_path / 'shift', judged, 'simulated towns', [table])
    content = json.loads((tmp_path / 'shift.json').read_text())
    (figures,) = content['acceptance']
    assert (figures['shift'], figures['sensor']) == ('points_30', 'spinning')
    curve = content['risk_coverage']['spinning / points_30']
    assert curve == {'coverage': [0.5, 0.625, 1.0], 'risk': [0.0, 0.2, 0.375]}
    (world,) = content['reliability'].values()
    assert sum(world['counts']) == 8
    page = page_of(tmp_path / 'shift.html')
    assert 'right among accepted, spinning radar map 0.800 at least 0.343; 5 of 8 accepted' in (
        page.facts
    )
    (risk,) = (chart for caption, chart in page.charts.items() if 'Wrong among' in caption)
    assert numbers(risk['data'][0]['y']) == [0.0, 0.2, 0.375]
    assert '| points_30 |' in (tmp_path / 'shift.md').read_text()


@pytest.mark.parametrize('names', [['shift'], ['validation', 'test_trust']])
def test_nothing_is_fitted_on_what_judges(
    names: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ['--benchmark', *names, '--out', str(tmp_path / 'work')]
    assert main([*given, '--fit', str(tmp_path / 'mine.json')]) == 1
    assert f"'{names[-1]}' only judges: fit on 'shift_fit'" in capsys.readouterr().err


@pytest.mark.parametrize('changed', [('--views', '12'), ('--opposite-lane', '3.5')])
def test_maps_of_shift_are_changed_in_its_own_ways_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: tuple[str, str]
) -> None:
    assert main(['--benchmark', 'shift', '--out', str(tmp_path / 'out'), *changed]) == 1
    assert f'{changed[0]} is for drives and benchmark splits' in capsys.readouterr().err


def test_what_no_answer_tells_is_judged_but_not_fitted(answers: list[PairAnswers]) -> None:
    mute = ['offset_2_5_m', 'equal_blocks_disturbed', 'long_road_disturbed', 'motorway_disturbed']
    half = load_half('shift_fit')
    assert [sensor.name for sensor in half.sensors if not sensor.teaches] == mute[:1]
    assert [worlds.name for worlds in half.worlds if not worlds.teaches] == mute[1:]
    asked = [replace(answers[0], shift=name) for name in ('', 'points_30', *mute)]
    names = ['validation', 'shift_fit']
    assert [pair.shift for pair in lessons_of(names, asked)] == ['', 'points_30']
    assert lessons_of(['validation'], asked) == asked
