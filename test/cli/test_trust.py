# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what `trust` asks, keeps and judges, on drives past posts."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ssd_ros.cli.build_db.command import main as build_db
from ssd_ros.cli.trust import command
from ssd_ros.cli.trust.asked.answers import ask, PairAnswers
from ssd_ros.cli.trust.asked.jobs import answers_of, Drive, Models
from ssd_ros.cli.trust.asked.queries import DriveQueries, queries_of
from ssd_ros.cli.trust.command import main
from ssd_ros.cli.trust.judged.fit import confidence_of, fit_models, without
from ssd_ros.cli.trust.judged.known_radars import with_known_radars
from ssd_ros.cli.trust.judged.tables import figures_of, judge, Judged, mountings, summary
from ssd_ros.cli.trust.report import write_report
from ssd_ros.confidence.features import FEATURES
from ssd_ros.confidence.file import write_confidence
from ssd_ros.confidence.radar_profile import NAMES
from ssd_ros.datasets.formats.hercules import write_hercules
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from ssd_ros.reports.document import shown
from ssd_ros.shared_files import shared_file
from support.calibrations import invented_calibration
from support.posts import (
    moving_drive,
    PostDrive,
    random_posts,
    SMALL,
    small_encoder,
    SPACE,
    straight_drive,
    write_small_encoder,
)
from support.reading.pages import page_of

# From 0.1 for the worst overlap on to 0.99; nothing else counts.
BY_OVERLAP = invented_calibration(0.6, -2.0, overlap=8.0)


def drive_of(world: int, session: int, aside_m: float = 0.0) -> PostDrive:
    """Return a slow drive among the posts of a world, 2 m from one scan to the next."""
    x_m = np.arange(0.0, 80.0, 2.0)
    xy_yaw = np.stack([x_m, np.full(len(x_m), aside_m), 0 * x_m], axis=1)
    posts = random_posts(seed=world)
    return PostDrive(posts, xy_yaw, f'W{world}/0{session}', step_ns=20_000_000_000)


@dataclass(frozen=True)
class PostSource:
    world: int
    session: int
    digest: str = ''

    def open(self) -> PostDrive:
        return drive_of(self.world, self.session, 0.5 * (self.session - 1))


DRIVES = [
    Drive(f'posts/{world}_{session - 1}', PostSource(world, session), session == 1)
    for world in (1, 2)
    for session in (1, 2)
]


@pytest.fixture(scope='module')
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    directory = tmp_path_factory.mktemp('models')
    return Models(
        write_small_encoder(directory / 'student.onnx', '4d'),
        write_small_encoder(directory / 'teacher.onnx', 'spinning'),
    )


@pytest.fixture(scope='module')
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp('work')


@pytest.fixture(scope='module')
def answers(models: Models, work: Path) -> list[PairAnswers]:
    return answers_of(DRIVES, models, work, query_m=4.0, num_processes=1)


def test_the_features_that_help_names_are_those_of_the_model() -> None:
    assert command.FEATURES == FEATURES


def test_a_cloud_that_cannot_be_read_makes_no_query(tmp_path: Path) -> None:
    class Damaged(PostDrive):
        def cloud(self, index: int) -> RadarPointCloud:
            if index == 4:
                raise ValueError('cut off')
            return PostDrive.cloud(self, index)

    whole = straight_drive(num=12)
    values = {field.name: getattr(whole, field.name) for field in fields(whole) if field.init}
    recognizer = PlaceRecognizer(small_encoder(tmp_path, '4d'), [])
    queries = queries_of(Damaged(**values), recognizer, 20.0, lambda new, total: None)
    assert queries.poses[:, 0].tolist() == [0, 20, 60, 80, 100]
    assert len(queries.bevs) == len(queries.stamps_ns) == len(queries.travelled_m) == 5
    assert queries.stamps_ns[2] == whole.cloud_stamps_ns[6]


def test_where_the_radar_of_each_drive_points_is_told_by_its_true_poses(tmp_path: Path) -> None:
    recognizer = PlaceRecognizer(small_encoder(tmp_path, '4d'), [])
    queries = queries_of(moving_drive(turned_rad=0.1), recognizer, 4.0, lambda new, total: None)
    off_deg = queries.profile[:, NAMES.index('yaw_deg')]
    assert np.isnan(off_deg[0])
    assert 4.5 < off_deg[-1] < np.degrees(0.1)


def test_queries_survive_the_disk(tmp_path: Path) -> None:
    drive = straight_drive(num=12)
    recognizer = PlaceRecognizer(small_encoder(tmp_path, '4d'), [])
    queries = queries_of(drive, recognizer, 20.0, lambda new, total: None)
    queries.save(tmp_path / 'queries.npz')
    loaded = DriveQueries.load(tmp_path / 'queries.npz')
    assert (loaded.name, len(loaded), loaded.world) == ('Posts/01', 6, 'Posts')
    assert loaded.poses[:, 0].tolist() == [0, 20, 40, 60, 80, 100]
    again = PlaceRecognizer(small_encoder(tmp_path, '4d'), [])
    for index in range(5):
        prepared = again.prepare(drive.cloud(index))
    kept = loaded.query(2)
    assert kept.stamp_ns == prepared.stamp_ns
    np.testing.assert_array_equal(kept.image.bev, prepared.image.bev)
    np.testing.assert_array_equal(kept.image.points_m, prepared.image.points_m)
    assert kept.odometry == prepared.odometry
    np.testing.assert_array_equal(kept.profile, prepared.profile)


@pytest.mark.parametrize(
    ('kind', 'name', 'spoil', 'reason'),
    [
        (DriveQueries, 'queries.npz', {'bevs': np.zeros((3, 2, 2), np.uint8)}, 'bevs has shape'),
        (DriveQueries, 'queries.npz', {'first_points': None}, 'first_points'),
        (PairAnswers, 'answers.npz', {'ratio': np.zeros((3, 2))}, 'ratio has shape'),
        (PairAnswers, 'answers.npz', {'sensor': None}, 'sensor is missing'),
    ],
)
def test_what_is_kept_between_two_runs_is_looked_through(
    answers: list[PairAnswers],
    work: Path,
    tmp_path: Path,
    kind: type[DriveQueries | PairAnswers],
    name: str,
    spoil: dict[str, Any],
    reason: str,
) -> None:
    path = tmp_path / name
    if kind is PairAnswers:
        answers[0].save(path)
    else:
        DriveQueries.load(work / 'posts/1_1/queries.npz').save(path)
    kind.load(path)
    with np.load(path) as file:
        arrays = {**file, **spoil}
    np.savez_compressed(path, **{key: value for key, value in arrays.items() if value is not None})
    with pytest.raises(ValueError, match=rf'{name}.*{reason}'):
        kind.load(path)


def test_every_drive_is_asked_of_the_maps_of_its_world_and_of_others(
    answers: list[PairAnswers],
) -> None:
    asked = {(pair.query_drive, pair.map_drive, pair.sensor): len(pair) for pair in answers}
    assert asked == {
        ('W1/01', 'W1/01', 'spinning'): 20,
        ('W1/02', 'W1/01', 'spinning'): 20,
        ('W1/02', 'W1/01', '4d'): 20,
        ('W2/02', 'W1/01', 'spinning'): 20,
        ('W2/02', 'W1/01', '4d'): 20,
        ('W2/01', 'W2/01', 'spinning'): 20,
        ('W2/02', 'W2/01', 'spinning'): 20,
        ('W2/02', 'W2/01', '4d'): 20,
        ('W1/02', 'W2/01', 'spinning'): 20,
        ('W1/02', 'W2/01', '4d'): 20,
    }
    for pair in answers:
        assert pair.is_stranger == (pair.query_drive[:2] != pair.map_drive[:2])
        assert np.isinf(pair.error_m[np.isfinite(pair.overlap)]).all() == pair.is_stranger
        assert (pair.nearest_m <= 5).all() != pair.is_stranger


def test_what_is_there_is_not_done_again(
    answers: list[PairAnswers], models: Models, work: Path
) -> None:
    files = {path: path.stat().st_mtime_ns for path in work.rglob('*') if path.is_file()}
    again = answers_of(DRIVES, models, work, query_m=4.0, num_processes=1)
    assert {path: path.stat().st_mtime_ns for path in files} == files
    np.testing.assert_array_equal(again[1].error_m, answers[1].error_m)


def test_another_encoder_is_asked_the_same_queries_in_maps_of_its_own(
    answers: list[PairAnswers], work: Path, tmp_path: Path
) -> None:
    description = json.loads(shared_file('models/scan_context.json').read_text())
    path = tmp_path / 'small.json'
    path.write_text(json.dumps({**description, 'preprocessing': asdict(SMALL)}))
    before = {file: file.stat().st_mtime_ns for file in work.rglob('*') if file.is_file()}
    found = answers_of(DRIVES, Models(path, path), work, query_m=4.0, num_processes=1)
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert len(list(work.glob('*/posts/1_0/spinning.map'))) == 2
    for pair, of_network in zip(found, answers, strict=True):
        assert (pair.query_drive, pair.map_drive) == (of_network.query_drive, of_network.map_drive)
        np.testing.assert_array_equal(pair.poses, of_network.poses)
    other_session = [pair for pair in found if not pair.is_stranger]
    errors_m = np.concatenate([np.nanmin(pair.error_m, axis=1) for pair in other_session])
    assert np.median(errors_m) < 0.5


def test_maps_described_otherwise_lie_beside_the_others(models: Models, tmp_path: Path) -> None:
    places = []
    for changed in (models, models._replace(num_views=12, opposite_lane_m=3.5)):
        answers_of(DRIVES, changed, tmp_path, query_m=4.0, num_processes=1)
        path = tmp_path / SPACE[:12] / changed.map_of(DRIVES[0].directory, 'spinning')
        places.append(PlaceDatabase.load(path))
    plain, both = places
    assert (both.info.num_views, both.info.opposite_lane_m) == (12, 3.5)
    assert (len(both), both.num_rows) == (2 * len(plain), 2 * len(plain) * 12)


def test_queries_of_other_settings_are_not_mixed(
    answers: list[PairAnswers], models: Models, work: Path
) -> None:
    message = r'made with another {}, see settings\.json: choose another .* --out'
    with pytest.raises(ValueError, match=message.format('query_spacing_m')):
        answers_of(DRIVES, models, work, query_m=5.0, num_processes=1)
    other = [replace(DRIVES[0], source=replace(DRIVES[0].source, digest='other poses'))]
    with pytest.raises(ValueError, match=message.format('source')):
        answers_of(other, models, work, query_m=4.0, num_processes=1)
    shipped = shared_file('models/scan_context.json')
    with pytest.raises(ValueError, match=message.format('preprocessing')):
        answers_of(DRIVES, Models(shipped, shipped), work, query_m=4.0, num_processes=1)


def test_verified_candidates_of_another_session_are_near_the_truth(
    answers: list[PairAnswers],
) -> None:
    (pair,) = [item for item in answers if item.query_drive == 'W1/02' and item.sensor == '4d'
               and not item.is_stranger]  # fmt: skip
    figures = figures_of(judge(pair, BY_OVERLAP))
    assert figures['kind'] == 'other session'
    assert figures['num_answerable'] == 20
    assert figures['recall_by_confidence'] >= 0.9
    assert figures['position_error_m'] < 0.5
    assert figures['yaw_error_deg'] < 1


@pytest.mark.usefixtures('answers')  # which fill the folder
@pytest.mark.parametrize('stands_from', [20, 8])
def test_the_judgement_is_that_of_the_recogniser(
    models: Models, work: Path, stands_from: int
) -> None:
    """Of twenty queries the last ones are of a vehicle that stands, or none is."""
    from ssd_ros.encoders.network import OnnxEncoder

    student = OnnxEncoder(models.student, 'cpu')
    teacher = OnnxEncoder(models.teacher, 'cpu')
    database = build_database(drive_of(1, 1), teacher)
    queries = DriveQueries.load(work / 'posts/1_1/queries.npz')
    assert not queries.is_standing.any()  # the poses tell that it moves, although no Doppler does
    travelled_m = 4.0 * np.minimum(np.arange(20), stands_from)
    queries = replace(
        queries,
        travelled_m=travelled_m,
        segments=np.zeros(20, np.int64),
        is_standing=np.arange(20) > stands_from,
    )
    pair = ask(queries, PlaceRecognizer(student, [database]), range(len(queries)), lambda *_: None)
    middle = float(np.median(judge(pair, BY_OVERLAP).confidence))
    judged = judge(pair, replace(BY_OVERLAP, threshold=middle))
    database.confidence = replace(BY_OVERLAP, threshold=middle)
    recognizer = PlaceRecognizer(student, [database])
    recognitions = [recognizer.query(queries.query(number)) for number in range(len(queries))]
    firsts = [item.candidates[0] for item in recognitions]
    np.testing.assert_allclose(judged.confidence, [first.confidence for first in firsts])
    assert judged.accepted.tolist() == [first.accepted for first in firsts]
    assert 0 < judged.accepted[: stands_from + 1].sum() < len(judged.accepted)
    confident = judged.confidence >= middle
    assert (confident & ~judged.accepted)[stands_from + 1 :].any() == (stands_from < 20)
    np.testing.assert_allclose(judged.of_first('overlap'), [first.overlap for first in firsts])


def test_of_a_radar_that_the_calibration_does_not_know_nothing_is_accepted(
    answers: list[PairAnswers],
) -> None:
    spoiled = _spoiled(answers)
    fitted = fit_models(spoiled, 'posts', 0.5, 0.5)
    model = with_known_radars(fitted, spoiled, 0.5, 0.5)['spinning']
    pair = next(pair for pair in answers if pair.sensor == 'spinning' and not pair.is_stranger)
    profile = pair.profile.copy()
    profile[::2, NAMES.index('points')] /= 9
    before, after = judge(pair, model), judge(replace(pair, profile=profile), model)
    assert before.accepted[::2].sum() > 5
    assert after.accepted[::2].sum() == 0
    assert after.accepted[1::2].tolist() == before.accepted[1::2].tolist()


@pytest.mark.parametrize(
    ('kind', 'name'), [(DriveQueries, 'queries.npz'), (PairAnswers, 'answers.npz')]
)
def test_what_was_kept_before_radars_were_told_apart_tells_of_none(
    answers: list[PairAnswers], work: Path, tmp_path: Path, kind: Any, name: str
) -> None:
    answers[0].save(tmp_path / 'answers.npz')
    DriveQueries.load(work / 'posts/1_1/queries.npz').save(tmp_path / 'queries.npz')
    with np.load(tmp_path / name) as file:
        arrays = {key: file[key] for key in file if key != 'profile'}
    np.savez(tmp_path / 'earlier.npz', **arrays)
    earlier = kind.load(tmp_path / 'earlier.npz')
    assert earlier.profile.shape == (len(earlier), len(NAMES))
    assert np.isnan(earlier.profile).all()
    np.savez(tmp_path / 'earlier.npz', **arrays, profile=np.zeros((len(earlier), 3)))
    with pytest.raises(ValueError, match='profile has shape'):
        kind.load(tmp_path / 'earlier.npz')


def _spoiled(answers: list[PairAnswers]) -> list[PairAnswers]:
    """Return the answers with every fifth one wrong."""
    wrong = [pair.error_m.copy() for pair in answers]
    for error_m in wrong:
        error_m[::5] = 50.0
    return [replace(pair, error_m=error_m) for pair, error_m in zip(answers, wrong, strict=True)]


def test_a_calibration_is_fitted_for_each_sensor(answers: list[PairAnswers]) -> None:
    # Forty queries cannot promise more.
    spoiled = _spoiled(answers)
    fitted = fit_models(spoiled, 'posts', min_precision=0.5, max_stranger_rate=0.5)
    models = with_known_radars(fitted, spoiled, 0.5, 0.5)
    assert sorted(models) == ['4d', 'spinning']
    assert models['4d'].data == 'posts'
    assert models['4d'].tolerance_m == 2
    # Of these drives it knows the radars: most points are of all posts within view.
    radars = models['4d'].radars
    assert radars is not None
    most = max(np.nanmax(pair.profile[:, 0]) for pair in answers)
    assert max(drive.high[0] for drive in radars.drives) == pytest.approx(most, rel=0.02)
    # The drives in their own maps are left out.
    assert models['spinning'].fitted.num_queries == 40
    assert models['spinning'].fitted.num_strangers == 40


def test_a_radar_on_which_the_fit_does_not_hold_stays_unknown(answers: list[PairAnswers]) -> None:
    points = NAMES.index('points')
    sparse = []
    for pair in answers:
        profile = pair.profile.copy()
        profile[:, points] /= 9
        error_m = np.full_like(pair.error_m, 50.0)  # however sure they look
        sparse.append(replace(pair, shift='sparse', profile=profile, error_m=error_m))
    known = with_known_radars({'spinning': BY_OVERLAP}, [*answers, *sparse], 0.9, 0.5)
    radars = known['spinning'].radars
    assert radars is not None
    least = min(np.nanmin(pair.profile[:, points]) for pair in answers)
    assert min(drive.low[points] for drive in radars.drives) >= 0.9 * least
    kept = with_known_radars({'spinning': BY_OVERLAP}, [*answers, *sparse], 0.0, 0.5)['spinning']
    assert kept.radars is not None
    assert min(drive.low[points] for drive in kept.radars.drives) < 0.2 * least


def test_answers_of_a_misaligned_radar_are_neither_fitted_nor_unsaid(
    answers: list[PairAnswers],
) -> None:
    (aside,) = {pair.query_drive for pair in answers if pair.query_drive.endswith('1/02')}
    spoiled = []
    for pair in _spoiled(answers):
        profile = pair.profile.copy()
        profile[:, NAMES.index('yaw_deg')] = 5.0 if pair.query_drive == aside else 0.0
        spoiled.append(replace(pair, profile=profile))
    models = fit_models(spoiled, 'posts', min_precision=0.5, max_stranger_rate=0.5)
    assert models['spinning'].fitted.num_queries == 20  # of 40
    lines = mountings([judge(pair, BY_OVERLAP) for pair in spoiled])
    assert lines[0].startswith(f'The 4D radar of {aside} points at least 5.0 degrees elsewhere')
    assert lines[1] == 'Mountings of 4D radars: 3 right, 1 wrong, 0 not known'


def test_answers_in_a_map_of_wrong_poses_are_neither_accepted_nor_fitted(
    answers: list[PairAnswers], tmp_path: Path
) -> None:
    assert max(pair.map_misfit_m.max() for pair in answers) < 1
    (pair,) = [pair for pair in answers if pair.query_drive.endswith('1/02')
               and pair.sensor == 'spinning' and not pair.is_stranger
               and not pair.is_same_session]  # fmt: skip
    wrong = replace(pair, map_misfit_m=np.full(len(pair), 2.1))
    assert judge(pair, BY_OVERLAP).accepted.any()
    assert not judge(wrong, BY_OVERLAP).accepted.any()
    spoiled = [
        replace(one, map_misfit_m=wrong.map_misfit_m) if one.map_drive == pair.map_drive else one
        for one in _spoiled(answers)
    ]
    models = fit_models(spoiled, 'posts', min_precision=0.5, max_stranger_rate=0.5)
    assert models['spinning'].fitted.num_queries == 20  # of 40
    wrong.save(tmp_path / 'new.npz')
    assert (PairAnswers.load(tmp_path / 'new.npz').map_misfit_m == 2.1).all()
    with np.load(tmp_path / 'new.npz') as found:
        np.savez(tmp_path / 'old.npz', **{n: found[n] for n in found if n != 'map_misfit_m'})
    earlier = PairAnswers.load(tmp_path / 'old.npz')
    assert np.isnan(earlier.map_misfit_m).all()
    assert judge(earlier, BY_OVERLAP).accepted.any()


def test_the_report_holds_all_drives_and_no_nan(
    answers: list[PairAnswers], tmp_path: Path
) -> None:
    judged: list[Judged] = [judge(pair, BY_OVERLAP) for pair in answers]
    table = summary(judged)
    assert table is not None
    write_report(tmp_path / 'trust', judged, 'simulated posts', [table])
    content = json.loads((tmp_path / 'trust.json').read_text())
    assert len(content['drives']) == 10
    assert 'NaN' not in (tmp_path / 'trust.json').read_text()
    assert content['pooled']['4d / other world']['num_queries'] == 40
    assert 'simulated' in (tmp_path / 'trust.md').read_text()
    assert len(page_of(tmp_path / 'trust.html').charts) >= 10
    assert [group['shift'] for group in content['acceptance']] == ['not shifted'] * 2
    assert {group['num_strangers'] for group in content['acceptance']} == {40}
    assert table.markdown().count('\n') == 1 + 6 + 5


def test_a_recorded_drive_calibrates_a_map_of_its_own(models: Models, tmp_path: Path) -> None:
    paths = []
    for world, session in ((1, 1), (1, 2), (2, 2)):
        drive = drive_of(world, session, 0.5 * (session - 1))
        paths.append(str(write_hercules(tmp_path, f'W{world}', f'0{session}', drive)))
    student, teacher = map(str, models[:2])
    built = build_db(['--input', paths[0], '--output', str(tmp_path / 'posts.map'),
                      '--teacher', teacher])  # fmt: skip
    assert built == 0
    assert PlaceDatabase.load(tmp_path / 'posts.map').confidence is None
    arguments = ['--drives', *paths[:2], '--strangers', paths[2], '--out', str(tmp_path / 'work'),
                 '--student', student, '--teacher', teacher, '--jobs', '1']  # fmt: skip
    assert main([*arguments, '--fit', str(tmp_path / 'mine.json')]) == 1
    write_confidence(tmp_path / 'mine.json', SPACE, {'spinning': BY_OVERLAP, '4d': BY_OVERLAP})
    arguments += [
        '--confidence',
        str(tmp_path / 'mine.json'),
        '--report',
        str(tmp_path / 'judged'),
    ]
    assert main([*arguments, '--store-in', str(tmp_path / 'posts.map')]) == 0
    assert PlaceDatabase.load(tmp_path / 'posts.map').confidence == BY_OVERLAP
    content = json.loads((tmp_path / 'judged.json').read_text())
    assert content['data'] == f'radar of unknown origin, 3 drives, map of {shown(paths[0])}'
    assert str(tmp_path) not in (tmp_path / 'judged.html').read_text()
    assert 'simulated' not in (tmp_path / 'judged.md').read_text()


def test_strangers_without_drives_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ['--benchmark', 'validation', '--strangers', 'Sports/01', '--out', str(tmp_path)]
    assert main(given) == 1
    assert '--strangers goes with recorded drives' in capsys.readouterr().err


@pytest.mark.parametrize('feature', FEATURES)
def test_a_feature_that_is_left_out_tells_nothing(
    answers: list[PairAnswers], feature: str
) -> None:
    spoiled = [without(pair, feature) for pair in _spoiled(answers)]
    for sensor, model in fit_models(spoiled, 'posts', 0.5, 0.5).items():
        (pair, *_) = (pair for pair in spoiled if pair.sensor == sensor)
        weights = dict(zip(FEATURES, model.supported.weights, strict=True))
        assert weights[feature] == pytest.approx(0, abs=1e-6)
        np.testing.assert_array_equal(np.isnan(pair.overlap), np.isnan(confidence_of(pair, model)))
