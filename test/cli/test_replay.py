# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the command replay on recordings of a drive past posts, in a map of the same road."""

from __future__ import annotations

import csv
from dataclasses import replace
import json
from pathlib import Path
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores
from ssd_ros.cli.replay import command as replay
from ssd_ros.cli.replay.files import Table
from ssd_ros.confidence.model import ConfidenceModel
from ssd_ros.confidence.radar_envelope import DriveStatistics, RadarEnvelope
from ssd_ros.datasets.bags.rosbag2_writer import ODOMETRY_TOPIC, write_rosbag2
from ssd_ros.datasets.formats.hercules import write_hercules
from ssd_ros.encoders.scan_context_encoder import ScanContextEncoder
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.live_session import LiveSession
from ssd_ros.recognition.candidates import DTYPE, Flag
from ssd_ros.recognition.radar_check import RADARS_NOT_KNOWN
from ssd_ros.shared_files import shared_file
from support.calibrations import EASY, invented_calibration
from support.posts import (
    jolted,
    moving_drive,
    PostDrive,
    random_posts,
    small_encoder,
    straight_drive,
    write_small_encoder,
)
from support.reading.pages import numbers, page_of
from support.recordings import messages_of, ROS2, write_ros1
from support.tilted import TiltedDrive, TILTS, yaw_for

ROOT = Path(__file__).parents[2]
MAPPING = straight_drive(num=20)
# Seen half a metre aside, looking a little to the left; then beyond the end of the map.
SHIFT = np.array([0.5, 0.5, 0.1])
DRIVE: PostDrive = replace(
    MAPPING, xy_yaw=np.concatenate([MAPPING.xy_yaw[5:15] + SHIFT, [[210.0, 0, 0]]])
)


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a map, a student, a bag of each storage and a drive in files."""
    path = tmp_path_factory.mktemp('replay')
    build_database(MAPPING, small_encoder(path, 'spinning'), 36, 2.0).save(path / 'map')
    write_small_encoder(path / 'student.onnx', '4d')
    for storage in ('sqlite3', 'mcap'):
        write_rosbag2(path / storage, DRIVE, storage, with_scans=False)
    write_ros1(path / 'ros1.bag', messages_of(path / 'mcap'), first_seq=250)
    write_hercules(path, 'Posts', '02', DRIVE)
    return path


def calibrated(tmp_path: Path, confidence: ConfidenceModel) -> tuple[str, str]:
    """Return a map with a calibration and a bag, of so many posts that a scan is verified."""
    posts = random_posts(1000)
    teacher = small_encoder(tmp_path, 'spinning')
    mapping = replace(MAPPING, posts=posts)
    build_database(mapping, teacher, 36, 2.0, confidence=confidence).save(tmp_path / 'map')
    write_rosbag2(tmp_path / 'bag', replace(DRIVE, posts=posts), with_scans=False)
    return str(tmp_path / 'map'), str(tmp_path / 'bag')


def run(folder: Path, tmp_path: Path, *more: str, source: str = 'sqlite3') -> dict[str, Any]:
    """Return the summary; the table is `table.csv`."""
    models = ['--map', str(folder / 'map'), '--student', str(folder / 'student.onnx')]
    files = ['--csv', str(tmp_path / 'table.csv'), '--json', str(tmp_path / 'summary.json')]
    assert replay.main(['--input', str(folder / source), *models, *files, *more]) == 0
    summary: dict[str, Any] = json.loads((tmp_path / 'summary.json').read_text())
    return summary


def test_where_the_radar_points_is_told(folder: Path, tmp_path: Path) -> None:
    write_rosbag2(tmp_path / 'bag', moving_drive(turned_rad=-0.1), with_scans=False)
    summary = run(folder, tmp_path, source=str(tmp_path / 'bag'))
    assert summary['yaw_error_deg'] == pytest.approx(np.degrees(-0.1), abs=0.1)
    assert summary['mounting'].startswith('the radar points 5.7 degrees (+-')
    assert any('add -0.1' in text for text in summary['warnings'])


def rows_of(tmp_path: Path) -> list[dict[str, str]]:
    with (tmp_path / 'table.csv').open(newline='') as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize('source', ['sqlite3', 'mcap', 'ros1.bag', 'Posts/02'])
def test_every_source_gives_a_line_per_candidate_with_the_columns_of_the_topic(
    folder: Path, tmp_path: Path, source: str
) -> None:
    summary = run(folder, tmp_path, source=source)
    rows = rows_of(tmp_path)
    assert list(rows[0]) == ['stamp_ns', *(DTYPE.names or ())]
    assert (summary['scans'], summary['queries'], summary['scans_left_out']) == (11, 11, 0)
    assert len(rows) == 11 * 10
    assert sorted({int(row['stamp_ns']) for row in rows}) == DRIVE.cloud_stamps_ns.tolist()
    assert [int(row['rank']) for row in rows[:10]] == list(range(10))


def test_the_best_candidates_are_the_keyframes_beside_which_the_vehicle_drove(
    folder: Path, tmp_path: Path
) -> None:
    summary = run(folder, tmp_path, '--truth')
    best = [row for row in rows_of(tmp_path) if row['rank'] == '0'][:10]
    assert [int(row['keyframe_id']) for row in best] == list(range(5, 15))
    np.testing.assert_allclose([float(row['map_x']) for row in best], np.arange(50, 150, 10))
    truth = summary['truth']
    assert (truth['queries'], truth['queries_in_map']) == (11, 10)
    assert truth['recall_at_1'] == 1.0
    assert truth['radius_m'] == 5.0
    assert summary['odometry'] is None


def test_a_definition_without_a_field_is_no_traceback(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The schema in an MCAP says how its messages are read."""
    kind = 'sensor_msgs/msg/PointCloud2'
    definition, _ = ROS2.generate_msgdef(kind, ros_version=2)
    lacking = definition.replace('uint32 row_step\n', '')
    with Writer(tmp_path / 'bag', version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        points = writer.add_connection('/radar/points', kind, msgdef=lacking, rihs01='RIHS01_0')
        for topic, stamp_ns, message in messages_of(folder / 'mcap'):
            if topic == '/radar/points':
                writer.write(points, stamp_ns, ROS2.serialize_cdr(message, kind))
    models = ['--map', str(folder / 'map'), '--student', str(folder / 'student.onnx')]
    assert replay.main(['--input', str(tmp_path / 'bag'), *models]) == 1
    assert 'PointCloud2 that lacks row_step' in capsys.readouterr().err


def test_summary_table_and_printed_text_agree(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = run(folder, tmp_path)
    accepted = [
        row
        for row in rows_of(tmp_path)
        if row['rank'] == '0' and int(row['flags']) & Flag.ACCEPTED
    ]
    assert summary['accepted'] == len(accepted) > 0
    decided = [summary[name] for name in ('accepted', 'ambiguous', 'rejected')]
    assert sum(decided) == summary['queries']
    assert summary['recording_s'] == 20.0  # 11 scans, 2 s apart
    assert summary['speed_factor'] == pytest.approx(20.0 / summary['wall_s'])
    assert summary['speed_factor'] > 1
    assert f'accepted             {len(accepted)} (' in capsys.readouterr().out


def test_a_calibrated_map_accepts_by_confidence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calibration = invented_calibration(
        0.4, -2.0, distance=-2.0, ratio=-2.0, overlap=5.0, support=1.0
    )
    map_path, bag = calibrated(tmp_path, calibration)
    files = ('--map', map_path, '--html', str(tmp_path / 'report.html'))
    summary = run(folder, tmp_path, *files, source=bag)
    sure = [
        float(row['confidence']) >= 0.4 and not int(row['flags']) & Flag.LOW_POINTS
        for row in rows_of(tmp_path)
    ]
    accepted = [bool(int(row['flags']) & Flag.ACCEPTED) for row in rows_of(tmp_path)]
    assert accepted == sure
    assert 0 < sum(accepted) < len(accepted)
    assert summary['accepted_by']['min_confidence'] == 0.4
    assert summary['accepted_by']['max_distance'] is None
    assert 0 < summary['best']['confidence']['p50'] < 1
    page = page_of(tmp_path / 'report.html')
    (over_time,) = (chart for caption, chart in page.charts.items() if 'dashed' in caption)
    titles = [axis['title']['text'] for name, axis in sorted(over_time['layout'].items())
              if name.startswith('yaxis')]  # fmt: skip
    assert titles[0] == 'confidence'
    assert over_time['layout']['shapes'][0]['y0'] == 0.4  # what it is accepted by
    printed = capsys.readouterr().out
    assert 'no calibration' not in printed
    assert summary['radar_kind'] == RADARS_NOT_KNOWN
    assert RADARS_NOT_KNOWN in printed


@pytest.mark.parametrize('is_risked', [False, True])
def test_a_radar_that_the_calibration_does_not_know_is_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], is_risked: bool
) -> None:
    # It had 5000 points a scan, or more.
    radars = RadarEnvelope(('points',), (DriveStatistics((5000.0,), (6000.0,)),))
    map_path, bag = calibrated(tmp_path, replace(EASY, radars=radars))
    parameters = tmp_path / 'params.yaml'
    risk = {'accept': {'risk_unknown_radar': is_risked}}
    parameters.write_text(json.dumps({'ssd_localizer': {'ros__parameters': risk}}))
    files = ('--map', map_path, '--params', str(parameters))
    summary = run(folder, tmp_path, *files, source=bag)
    assert summary['queries_of_unknown_radar'] == summary['queries'] == 11
    assert (summary['accepted'] > 0) == is_risked
    assert summary['accepted'] + summary['rejected'] == 11
    end = 'accepts it all the same' if is_risked else 'with drives of yours'
    (said,) = [text for text in summary['warnings'] if 'radar is unlike' in text]
    assert said.startswith('11 of 11 queries: this radar is unlike those the calibration knows: ')
    assert 'static points a scan (known: 5000 to 6000)' in said
    assert said.endswith(end)
    assert said in capsys.readouterr().out


@pytest.mark.parametrize('is_risked', [False, True])
def test_a_map_of_wrong_poses_is_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], is_risked: bool
) -> None:
    wrong = jolted(replace(MAPPING, posts=random_posts(1000)), 2.0)
    built = build_database(wrong, small_encoder(tmp_path, 'spinning'), confidence=EASY)
    built.save(tmp_path / 'wrong')
    _, bag = calibrated(tmp_path, EASY)
    parameters = tmp_path / 'params.yaml'
    accept = {'accept': {'risk_map_poses': is_risked, 'max_rival': 0.0}}
    parameters.write_text(json.dumps({'ssd_localizer': {'ros__parameters': accept}}))
    files = ('--map', str(tmp_path / 'wrong'), '--params', str(parameters))
    summary = run(folder, tmp_path, *files, source=bag)
    assert (summary['accepted'] > 0) == is_risked
    assert summary['maps'][0]['pose_misfit_m'] == built.info.pose_misfit_m
    (said,) = [text for text in summary['warnings'] if 'the poses of map' in text]
    assert said.startswith('the poses of map Posts/01 disagree with its returns by 2.')
    assert said.endswith('accepts it all the same' if is_risked else 'with map repose')
    assert said in capsys.readouterr().out


def test_poses_that_are_not_true_are_compared_as_odometry(folder: Path, tmp_path: Path) -> None:
    summary = run(folder, tmp_path)
    assert summary['truth'] is None
    assert summary['odometry']['pairs'] == summary['accepted'] - 1
    assert 0 <= summary['odometry']['agreeing'] <= 1


@pytest.fixture(scope='module')
def crowded(folder: Path) -> Path:
    """Return a bag with a lidar, two cameras and a second odometry beside the radar."""
    store = get_typestore(Stores.ROS2_JAZZY)
    camera = store.types['sensor_msgs/msg/Image'](
        header=store.types['std_msgs/msg/Header'](
            stamp=store.types['builtin_interfaces/msg/Time'](sec=1, nanosec=0), frame_id='camera'
        ),
        **{'height': 1, 'width': 3, 'encoding': 'rgb8', 'is_bigendian': 0, 'step': 9},
        data=np.zeros(9, np.uint8),
    )
    with AnyReader([folder / 'mcap']) as reader, Writer(folder / 'crowded', version=8) as writer:
        for connection, stamp_ns, data in list(reader.messages()):
            message, kind = store.deserialize_cdr(data, connection.msgtype), connection.msgtype
            topics = [connection.topic, '/other' + connection.topic]
            for topic in topics:
                if topic == '/other/radar/points':
                    message.fields = [f for f in message.fields if f.name not in ('v', 'doppler')]
                written = [c for c in writer.connections if c.topic == topic]
                target = written or [writer.add_connection(topic, kind, typestore=store)]
                writer.write(target[0], stamp_ns, store.serialize_cdr(message, kind))
        for topic in ('/left', '/right'):
            kind = 'sensor_msgs/msg/Image'
            target = writer.add_connection(topic, kind, typestore=store)
            writer.write(target, int(DRIVE.cloud_stamps_ns[0]), store.serialize_cdr(camera, kind))
    return folder


def test_of_a_vehicle_with_other_sensors_the_radar_is_found(
    crowded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = run(crowded, tmp_path, source='crowded')
    plain = run(crowded, tmp_path, source='mcap')
    assert (summary['queries'], summary['best']) == (11, plain['best'])
    assert summary['odometry'] is None
    assert 'name some' in capsys.readouterr().out


def test_of_several_odometries_one_is_named(crowded: Path, tmp_path: Path) -> None:
    given = ('--poses-topic', '/other/ground_truth/odom')
    assert run(crowded, tmp_path, *given, source='crowded')['odometry']['pairs'] > 0


def test_a_rate_leaves_scans_out_of_the_search_but_in_the_window(
    folder: Path, tmp_path: Path
) -> None:
    summary = run(folder, tmp_path, '--rate', '0.25')  # of scans at 0.5 Hz: every second
    assert (summary['scans'], summary['queries']) == (11, 6)


def test_queries_are_as_far_apart_as_the_parameters_say(folder: Path, tmp_path: Path) -> None:
    params = tmp_path / 'params.yaml'
    params.write_text('/**: {ros__parameters: {min_travel: 19.9}}')
    summary = run(folder, tmp_path, '--params', str(params))  # scans 10 m apart, then a jump
    assert (summary['scans'], summary['queries']) == (11, 6)


def test_a_scan_that_is_not_due_does_not_use_up_the_way(folder: Path, tmp_path: Path) -> None:
    params = tmp_path / 'params.yaml'
    params.write_text('/**: {ros__parameters: {min_travel: 19.9}}')
    # One in six seconds is due: every third, 30 m after the one before.
    run(folder, tmp_path, '--params', str(params), '--rate', '0.1667')
    stamps_ns = sorted({int(row['stamp_ns']) for row in rows_of(tmp_path)})
    assert [(stamp_ns - stamps_ns[0]) / 2e9 for stamp_ns in stamps_ns] == [0, 3, 6, 9]


def test_parameters_of_the_node_count(folder: Path, tmp_path: Path) -> None:
    params = tmp_path / 'params.yaml'
    params.write_text(
        '/**:\n  ros__parameters:\n    use_sim_time: true\n    top_k: 3\n'
        '    accept:\n      max_distance: 0.0001\n'
    )
    summary = run(folder, tmp_path, '--params', str(params))
    assert len(rows_of(tmp_path)) == 11 * 3
    assert summary['accepted'] == 0


def test_the_maps_of_the_parameters_count_where_none_is_given(
    folder: Path, tmp_path: Path
) -> None:
    first = straight_drive(num=10)
    build_database(first, small_encoder(tmp_path, 'spinning'), 36, 2.0).save(tmp_path / 'map')
    params = tmp_path / 'params.yaml'
    maps = f'{folder / "map"}:{tmp_path / "map"}'
    params.write_text(f'/**: {{ros__parameters: {{index_path: "{maps}"}}}}')
    given = ['--input', folder / 'mcap', '--student', folder / 'student.onnx']
    given += ['--params', params, '--csv', tmp_path / 'table.csv']
    assert replay.main([str(text) for text in given]) == 0
    assert len({row['map_id'] for row in rows_of(tmp_path)}) == 2


@pytest.mark.parametrize('roll_pitch', TILTS)
@pytest.mark.parametrize('posed', [(), ('--truth',)])
def test_the_recording_of_a_tilted_radar_is_answered_as_that_of_an_upright_one(
    folder: Path, tmp_path: Path, roll_pitch: tuple[float, float], posed: tuple[str, ...]
) -> None:
    write_rosbag2(
        tmp_path / 'tilted', TiltedDrive(**vars(DRIVE), roll_pitch=roll_pitch), with_scans=False
    )
    rows, summaries = [], []
    for source, tilt in ((folder / 'sqlite3', (0.0, 0.0)), (tmp_path / 'tilted', roll_pitch)):
        mounting = [1.5, 0.4, 0.5, *tilt, yaw_for(0.2, tilt[1])]
        params = tmp_path / 'params.yaml'
        params.write_text(f'/**: {{ros__parameters: {{radar_extrinsics: {mounting}}}}}')
        summaries.append(
            run(folder, tmp_path, '--params', str(params), *posed, source=str(source))
        )
        rows.append(np.array([list(map(float, row.values())) for row in rows_of(tmp_path)]))
    np.testing.assert_allclose(rows[1], rows[0], rtol=1e-3, atol=2e-3)
    assert summaries[1]['accepted'] == summaries[0]['accepted'] > 5
    for judged in ('truth', 'odometry'):
        assert summaries[1][judged] == pytest.approx(summaries[0][judged], abs=1e-3)


def test_a_second_lap_finds_the_places_of_the_first_without_a_map(
    folder: Path, tmp_path: Path
) -> None:
    laps = replace(MAPPING, xy_yaw=np.concatenate([MAPPING.xy_yaw, MAPPING.xy_yaw[:10]]))
    write_rosbag2(tmp_path / 'laps', laps, with_scans=False)
    params = tmp_path / 'params.yaml'
    params.write_text(
        '/**: {ros__parameters: {online_index: true, exclude_recent: 15.0, top_k: 3, '
        'accept: {max_distance: 0.5}}}'
    )
    given = ['--input', tmp_path / 'laps', '--student', folder / 'student.onnx']
    given += ['--params', params, '--csv', tmp_path / 'table.csv']
    given += ['--json', tmp_path / 'summary.json']
    assert replay.main([str(text) for text in given]) == 0
    rows = rows_of(tmp_path)
    assert all(int(row['flags']) & Flag.LIVE_SESSION for row in rows)
    places = dict(zip(laps.cloud_stamps_ns.tolist(), laps.xy_yaw[:, 0], strict=True))
    closures = [row for row in rows if int(row['flags']) & Flag.ACCEPTED]
    # Not all: a scan with few points closes no loop.
    assert 5 <= len(closures) <= 10
    for row in closures:
        assert float(row['map_x']) == pytest.approx(places[int(row['stamp_ns'])])
    summary = json.loads((tmp_path / 'summary.json').read_text())
    assert (summary['queries'], summary['maps']) == (30, [])
    assert summary['without_candidate'] >= 8  # 2 s apart, none older than 15 s
    assert summary['loop_closures'] == summary['accepted'] == len(closures)


def test_an_odometry_that_begins_anew_is_told_and_compared_within_its_segments(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def pairs(shift_m: float) -> int:
        """Of a recording whose odometry is elsewhere from the sixth scan on."""
        poses = DRIVE.cloud_poses
        positions_m = poses.positions_m.copy()
        positions_m[5:10, 0] += shift_m
        odometry = replace(poses, positions_m=positions_m)
        write_rosbag2(tmp_path / f'{shift_m}', DRIVE, with_scans=False, odometry=odometry)
        arguments = ['--input', str(tmp_path / f'{shift_m}'), '--poses-topic', ODOMETRY_TOPIC]
        return int(run(folder, tmp_path, *arguments)['odometry']['pairs'])

    told = 'the odometry has 2 segments, not related to each other; 1 poses that jump alone'
    whole = pairs(0.0)
    assert told not in caplog.text
    assert pairs(-1050.0) == whole - 1
    assert told in caplog.text


def test_a_running_drive_that_is_full_is_told(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(LiveSession, 'is_full', property(lambda session: len(session) >= 4))
    params = tmp_path / 'params.yaml'
    params.write_text('/**: {ros__parameters: {online_index: true, wheel_radius: 0.39}}')
    given = ['--input', folder / 'mcap', '--student', folder / 'student.onnx', '--params', params]
    assert replay.main([str(text) for text in given]) == 0
    printed = capsys.readouterr()
    assert 'the running drive is full with 4 keyframes: what follows is matched' in printed.out


def test_the_shipped_parameter_file_is_the_default(folder: Path, tmp_path: Path) -> None:
    plain = run(folder, tmp_path)
    given = run(folder, tmp_path, '--params', str(ROOT / 'config' / 'localize.yaml'))
    for name in ('queries', 'accepted', 'ambiguous', 'rejected', 'best'):
        assert given[name] == plain[name]


def test_the_report_shows_what_was_accepted_first(folder: Path, tmp_path: Path) -> None:
    files = ('--truth', '--rate', '0.4', '--html', str(tmp_path / 'report.html'))
    summary = run(folder, tmp_path, *files)
    page = page_of(tmp_path / 'report.html')
    assert page.facts[0].startswith(f'accepted {summary["accepted"]} of {summary["queries"]}')
    assert page.says('<th>query_rate</th><td>0.4</td>')
    assert str(tmp_path) not in page.text
    traces = {
        trace['name'].partition(' (')[0]: trace
        for trace in page.charts[
            'The map and the accepted answers; the legend switches the others on'
        ]['data']
        if 'name' in trace
    }
    accepted = [*numbers(traces['accepted, within 5 m']['x']),
                *numbers(traces['accepted, but wrong']['x'])]  # fmt: skip
    assert len(accepted) == summary['accepted']
    # Guesses that were not accepted are there, and drawn when asked for.
    for name in ('not accepted, best guess wrong', 'not accepted, best guess right'):
        assert traces[name]['visible'] == 'legendonly'


def test_damaged_scans_are_left_out_and_said(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_hercules(tmp_path, 'Posts', '03', DRIVE)
    damaged = sorted((tmp_path / 'Posts' / '03').rglob('*.bin'))[4]
    damaged.write_bytes(b'')
    summary = run(tmp_path_with_models(folder, tmp_path), tmp_path, source='Posts/03')
    assert (summary['queries'], summary['scans_left_out']) == (10, 1)
    assert 'warning              1 scans left out: ' in capsys.readouterr().out


def test_a_recording_is_answered_without_a_trained_model(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher = ScanContextEncoder(shared_file('models/scan_context.json'), 'spinning')
    build_database(MAPPING, teacher, None, 2.0).save(tmp_path / 'map')
    command = ['--input', str(folder / 'mcap'), '--map', str(tmp_path / 'map')]
    files = ['--csv', str(tmp_path / 'table.csv')]
    assert replay.main([*command, *files, '--encoder', 'scan_context']) == 0
    firsts = [row for row in rows_of(tmp_path) if row['rank'] == '0']
    assert [int(row['keyframe_id']) for row in firsts[:10]] == list(range(5, 15))
    assert replay.main(command) == 1
    assert 'set encoder:=scan_context, or build the map again' in capsys.readouterr().err


def tmp_path_with_models(folder: Path, tmp_path: Path) -> Path:
    for name in ('map', 'student.onnx'):
        (tmp_path / name).symlink_to(folder / name)
    return tmp_path


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--input', '/absent'], '/absent does not exist'),
        (['--topic', '/lidar'], r"has no topic '/lidar'"),
        (['--map', '/absent'], '/absent'),
        (['--params', 'setup.py'], 'setup.py is not a parameter file of the node'),
        (['--student', '{folder}/spinning_a.onnx'], "expected '4d'"),
        (['--student', '{folder}/other.onnx'], 'was filled in descriptor space'),
    ],
)
def test_what_cannot_be_used_is_one_line_and_code_1(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    write_small_encoder(folder / 'other.onnx', '4d', 'b' * 64)
    given = {'--input': folder / 'mcap', '--map': folder / 'map'}
    given['--student'] = folder / 'student.onnx'
    given |= {options[0]: options[1].format(folder=folder)}
    assert replay.main([text for pair in given.items() for text in map(str, pair)]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1


def test_a_bag_without_a_4d_radar_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = get_typestore(Stores.ROS2_JAZZY)
    with AnyReader([folder / 'mcap']) as reader, Writer(tmp_path / 'bag', version=8) as writer:
        kind = 'nav_msgs/msg/Odometry'
        target = writer.add_connection('/odom', kind, typestore=store)
        for connection, stamp_ns, data in reader.messages():
            if connection.msgtype == kind:
                writer.write(target, stamp_ns, data)
    given = {'--input': tmp_path / 'bag', '--map': folder / 'map'}
    given['--student'] = folder / 'student.onnx'
    assert replay.main([text for pair in given.items() for text in map(str, pair)]) == 1
    assert f'{tmp_path / "bag"} has no scans of a 4D radar' in capsys.readouterr().err


def test_a_damaged_bag_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = tmp_path / 'damaged.mcap'
    damaged.write_bytes(next((folder / 'mcap').glob('*.mcap')).read_bytes()[:3000])
    given = {'--input': damaged, '--map': folder / 'map', '--csv': tmp_path / 'table.csv'}
    given['--student'] = folder / 'student.onnx'
    assert replay.main([text for pair in given.items() for text in map(str, pair)]) == 1
    assert f'`mcap recover {damaged} -o ' in capsys.readouterr().err
    assert not (tmp_path / 'table.csv').exists()


def test_ctrl_c_leaves_the_old_table_and_code_130(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(table: Table, step: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Table, 'add', interrupt)
    old = 'stamp_ns,x,y,z,of an earlier run\n'
    (tmp_path / 'table.csv').write_text(old)
    given = {'--input': folder / 'mcap', '--map': folder / 'map', '--csv': tmp_path / 'table.csv'}
    given['--student'] = folder / 'student.onnx'
    assert replay.main([text for pair in given.items() for text in map(str, pair)]) == 130
    assert [path.name for path in tmp_path.iterdir()] == ['table.csv']
    assert (tmp_path / 'table.csv').read_text() == old


def test_truth_without_a_map_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = tmp_path / 'params.yaml'
    params.write_text('/**: {ros__parameters: {online_index: true}}')
    assert replay.main(['--input', 'drive', '--params', str(params), '--truth']) == 1
    assert '--truth is in the frame of a map: give --map' in capsys.readouterr().err


def test_without_a_map_the_way_out_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert replay.main(['--input', 'drive']) == 1
    assert 'no map: give --map, a directory made by build_db' in capsys.readouterr().err


def test_it_runs_where_there_is_no_ros(folder: Path) -> None:
    program = (
        'import sys\n'
        'for name in ("rclpy", "sensor_msgs", "geometry_msgs"): sys.modules[name] = None\n'
        'from ssd_ros.cli.replay import command as replay\n'
        f'sys.exit(replay.main(["--input", {str(folder / "mcap")!r}, '
        f'"--map", {str(folder / "map")!r}, "--student", {str(folder / "student.onnx")!r}]))'
    )
    done = subprocess.run(
        [sys.executable, '-c', program], check=False, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert 'x real time' in done.stdout


def test_a_spinning_radar_is_replayed_in_its_map(folder: Path, tmp_path: Path) -> None:
    posts = random_posts(1000)
    mapping = replace(MAPPING, posts=posts, step_ns=100_000_000_000)
    teacher = small_encoder(tmp_path, 'spinning')
    build_database(mapping, teacher).save(tmp_path / 'map')
    # The other way, each place 3 m from the nearest keyframe.
    back = np.stack([np.arange(153.0, 40, -10), np.zeros(12), np.full(12, np.pi)], axis=1)
    write_rosbag2(tmp_path / 'bag', replace(mapping, xy_yaw=back))
    summary_file = tmp_path / 'summary.json'
    parameters = tmp_path / 'risk.yaml'
    parameters.write_text(
        'ssd_localizer:\n  ros__parameters:\n    input_type: polar_image\n'
        '    spinning: {range_resolution: 0.25}\n'
        '    accept: {risk_unknown_radar: true, max_rival: 0.0}\n'
    )
    command = ['--input', str(tmp_path / 'bag'), '--map', str(tmp_path / 'map'), '--truth']
    command += ['--poses-topic', '/ground_truth/odom', '--params', str(parameters)]
    command += ['--student', str(tmp_path / 'spinning_a.onnx'), '--json', str(summary_file)]
    assert replay.main(command) == 0
    summary = json.loads(summary_file.read_text())
    assert (summary['scans'], summary['queries'], summary['accepted']) == (12, 12, 12)
    assert summary['truth']['recall_at_1'] == 1
    assert summary['truth']['median_error_m'] < 1
    assert summary['radar_kind'].endswith('a spinning radar (known: none)')
    assert summary['queries_of_unknown_radar'] == 12
