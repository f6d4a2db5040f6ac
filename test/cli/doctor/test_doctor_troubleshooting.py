# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Show the doctor each wrong situation of the troubleshooting tables that a recording can show.

A row that is here neither as a case nor with the reason why no recording shows it fails the test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
import re
from typing import Any, NamedTuple

import numpy as np
import pytest
from ssd_ros.cli.doctor.command import main
from ssd_ros.maps.builder import build_database
from ssd_ros.radar.types import RadarPointCloud
from support.calibrations import calibration_of, thinned
from support.drivers.bags import cloud_message, drive_messages, odometry, transform
from support.posts import (
    jolted,
    moving_drive,
    MovingDrive,
    small_encoder,
    write_small_encoder,
)
from support.recordings import write_ros2
from support.spinning_messages import image

TABLES = Path(__file__).parents[3] / 'resource' / 'docs' / 'guide' / 'troubleshooting.md'
TOPIC = '/front/points'
SECOND = 1_000_000_000
HOUR_S = 3600.0
DRIVE = moving_drive(num=60)
Message = tuple[str, int, Any]


def recorded(drive: MovingDrive = DRIVE) -> list[Message]:
    return list(drive_messages('ars548_upo', TOPIC, drive))


def changed(change: Callable[[int, Any], None], topic: str = TOPIC) -> list[Message]:
    """Return the messages of the drive; those of a topic are changed, called with their number."""
    messages, number = recorded(), 0
    for name, _, message in messages:
        if name == topic:
            change(number, message)
            number += 1
    return messages


def every(**attributes: Any) -> list[Message]:
    return changed(lambda _, message: _set(message, **attributes))


def _set(message: Any, **attributes: Any) -> None:
    for name, value in attributes.items():
        object.__setattr__(message, name, value)


def stamped(seconds_of: Callable[[int], float], both: bool = False) -> list[Message]:
    """Return the messages with clouds, or all, whose stamps are moved."""

    def move(number: int, message: Any) -> None:
        stamp = message.header.stamp
        moved_ns = stamp.sec * SECOND + stamp.nanosec + round(seconds_of(number) * SECOND)
        sec, nanosec = divmod(moved_ns, SECOND)
        _set(stamp, sec=sec, nanosec=nanosec)

    messages = changed(move)
    if both:
        other = [message for name, _, message in messages if name == '/odom']
        for number, message in enumerate(other):
            move(number, message)
    return messages


def zero(_: int, message: Any) -> None:
    _set(message.header.stamp, sec=0, nanosec=0)


def nan(number: int, message: Any) -> None:
    points = message.data.reshape(-1, message.point_step).copy()
    points[:, :12] = np.frombuffer(np.full(3, np.nan, np.float32).tobytes(), np.uint8)
    _set(message, data=points.ravel())


def renamed(number: int, message: Any) -> None:
    for field in message.fields:
        if field.name == 'RCS':
            _set(field, name='brightness')


def absurd(name: str, value: int) -> list[Message]:
    def change(_: int, message: Any) -> None:
        _set(message.fields[3], **{name: value})  # of Doppler

    return changed(change)


def half_empty(number: int, message: Any) -> None:
    if number % 2:
        _set(message, width=0, row_step=0, data=np.zeros(0, np.uint8))


def jumping(number: int, message: Any) -> None:
    if number >= 30:
        message.pose.pose.position.x -= 500.0


def broken_pose(number: int, message: Any) -> None:
    if number == 5:
        message.pose.pose.position.x = float('nan')


def sparse_odometry() -> list[Message]:
    both = enumerate(recorded())
    return [each for number, each in both if number % 10 == 0 or each[0] == TOPIC]


def without_odometry() -> list[Message]:
    return [each for each in recorded() if each[0] == TOPIC]


def of_radar(measured: Callable[[RadarPointCloud], RadarPointCloud]) -> list[Message]:
    messages = []
    for index, stamp_ns in enumerate(DRIVE.cloud_stamps_ns.tolist()):
        x_m = float(DRIVE.cloud_poses.positions_m[index, 0])
        cloud = cloud_message('ars548_upo', measured(DRIVE.cloud(index)))
        messages += [('/odom', stamp_ns, odometry(stamp_ns, x_m)), (TOPIC, stamp_ns, cloud)]
    return messages


def channels() -> list[Message]:
    messages = list(drive_messages('oculii_v1', '/radar_enhanced_pcl', DRIVE))
    for name, _, message in messages:
        if name == '/radar_enhanced_pcl':
            _set(message.channels[0], values=message.channels[0].values[:-1])
    return messages


def two_radars(frames: tuple[str, str]) -> list[Message]:
    messages = []
    for index, stamp_ns in enumerate(DRIVE.cloud_stamps_ns.tolist()):
        for topic, frame in zip(('front', 'side'), frames, strict=True):
            name = f'/ars548_process/point_{topic}_cloud2'
            cloud = cloud_message('ars548_ncut', DRIVE.cloud(index), frame)
            messages.append((name, stamp_ns, cloud))
    return messages


def turns(pixels: Callable[[], Any], frames: tuple[Message, ...] = ()) -> list[Message]:
    stamps_ns = [SECOND * (100 + number) for number in range(5)]
    return [*frames, *(('/radar/polar', ns, image(pixels(), ns)) for ns in stamps_ns)]


def bright() -> Any:
    return np.random.default_rng(0).integers(0, 200, (500, 400), dtype=np.uint8)


def tilted() -> tuple[Message, ...]:
    upside_down = transform('base_link', 'navtech', (0.0, 0.0, 2.0), 0.0)
    turned = upside_down.transforms[0].transform.rotation
    _set(turned, x=0.5, w=float(np.sqrt(0.75)))
    return (('/tf_static', SECOND * 100, upside_down),)


def with_tf() -> list[Message]:
    return [
        ('/tf_static', recorded()[0][1], transform('map', 'odom', (0, 0, 0), 0.0)),
        *recorded(),
    ]


class Case(NamedTuple):
    """What is recorded, what is said of it, and what the command is given besides."""

    messages: Callable[[], list[Message]]
    said: str
    level: str = 'MEND'
    given: str = ''


EMPTY = partial(every, width=0, row_step=0, data=np.zeros(0, np.uint8))
NO_FRAME = partial(changed, lambda _, message: _set(message.header, frame_id=''))
SLOW = partial(recorded, replace(DRIVE, step_ns=SECOND))
HEADER = '--params header.yaml'
SHOWN = {
    'no message was usable: …': Case(EMPTY, 'empty cloud: does the driver lose packets?'),
    'some messages were not usable: …': Case(
        partial(changed, half_empty), 'empty cloud: .*30 of 60'
    ),
    'empty cloud: does the driver lose packets?': Case(EMPTY, 'empty cloud'),
    'Doppler runs against odometry: is doppler_sign wrong, or the yaw of the radar?': Case(
        partial(recorded, moving_drive(num=60, doppler_sign=-1)), 'runs against the odometry'
    ),
    'the 4D radar …: add … rad to its yaw in radar_extrinsics, or in the static transform of …': (
        Case(partial(recorded, moving_drive(num=60, turned_rad=0.1)), 'add .* rad to its yaw')
    ),
    'few points: … in the window': Case(
        partial(of_radar, lambda cloud: cloud.select(np.arange(len(cloud)) < 4)),
        'nothing is accepted below 30',
    ),
    'low rate: … Hz: does the driver or the network lose messages?': Case(SLOW, '1.0 a second'),
    'this radar is unlike those the calibration knows: …: nothing is accepted until trust was run '
    'with drives of yours': Case(
        partial(of_radar, thinned), 'this radar is unlike those', given='--map calibrated'
    ),
    'the poses of map … disagree with its returns by … m between neighbouring keyframes (median; '
    'at most …): nothing is accepted in it; give it better poses with map repose': Case(
        recorded, 'the poses of map .* disagree with its returns', given='--map jolted'
    ),
    'the running drive is not remembered: no odometry for the scans on … or in TF': Case(
        without_odometry, 'no poses beside the scans', 'note'
    ),
    'stamps of … are … s …: all inputs are stamped by their arrival from now on, see stamp_source '
    'and max_stamp_skew…': Case(partial(changed, zero), 'all inputs are stamped by their arrival'),
    'stamps of radars and odometry are … s …, all by the same, and believed: set stamp_offset to '
    '…, or use_sim_time or stamp_source header for a bag': Case(
        partial(stamped, lambda _: 37.0, True), 'set stamp_offset to -37.0', 'note'
    ),
    'odometry began anew at … s: segment …, not related to those before': Case(
        partial(changed, jumping, '/odom'), 'odometry began anew at', 'note'
    ),
    'some odometry was left out: …': Case(
        partial(changed, broken_pose, '/odom'), 'some odometry was left out: a pose', 'note'
    ),
    'none of … points is valid': Case(partial(changed, nan), 'none of .* points is valid'),
    'point cloud has no field for …; it has …: set field_map': Case(
        partial(changed, renamed), 'has no field for intensity or RCS', given=f'--topic {TOPIC}'
    ),
    'point cloud has … bytes, expected … for … x … points of … bytes': Case(
        partial(every, data=np.zeros(5, np.uint8)),
        'point cloud has 5 bytes',
        'MEND',
        f'--topic {TOPIC}',
    ),
    'impossible layout: … rows of … points, point_step …, row_step …; expected row_step >= width '
    '* point_step': Case(
        partial(every, height=2, row_step=3), 'impossible layout', given=f'--topic {TOPIC}'
    ),
    'field … has datatype …, expected 1 .. 8': Case(
        partial(absurd, 'datatype', 77), 'has datatype 77', given=f'--topic {TOPIC}'
    ),
    'field … ends at byte … of a point of … bytes': Case(
        partial(absurd, 'offset', 4000), 'ends at byte 4004', given=f'--topic {TOPIC}'
    ),
    'channel … has … values, expected …, one a point': Case(
        channels, 'channel .* has .* values', given='--topic /radar_enhanced_pcl'
    ),
    'a turn cannot be used: …; see spinning.preset and spinning.range_resolution': Case(
        partial(turns, lambda: np.zeros((500, 400), np.uint8)),
        'a turn cannot be used: .* is blank',
        given='--sensor spinning --spinning-preset hercules',
    ),
    'the spinning radar is mounted tilted by … degrees: a turn cannot be levelled; is its '
    'mounting stated right?': Case(
        partial(turns, bright, tilted()), 'mounted tilted by 60 degrees'
    ),
    'stamp … s is far from those before: held until the next ones tell which is right': Case(
        partial(stamped, lambda number: HOUR_S * (number == 20)),
        'is far from those',
        'note',
        HEADER,
    ),
    'stamp … s came late: left out': Case(
        partial(stamped, lambda number: -0.6 * (number == 20)),
        'came late: left out',
        'note',
        HEADER,
    ),
    'stamp … s was ahead of those that followed: left out': Case(
        partial(stamped, lambda number: HOUR_S * (number == 20)),
        'was ahead of those that followed',
        'note',
        HEADER,
    ),
    'the clock of … was set by … s: the drive goes on': Case(
        partial(stamped, lambda number: HOUR_S * (number >= 20)),
        'was set by [+]3600',
        'note',
        HEADER,
    ),
    'time went back to … s: started a new window of scans': Case(
        partial(stamped, lambda number: -HOUR_S * (number >= 20)),
        'time went back to',
        'note',
        HEADER,
    ),
    'the clouds name no frame: using radar_extrinsics; set frame_override': Case(
        NO_FRAME, 'the clouds name no frame', 'note'
    ),
    'TF does not know … in …: using radar_extrinsics': Case(
        with_tf, "TF does not know 'radar' in 'base_link'", 'note'
    ),
    'nothing came on … yet, the first of input_topics: … is left out': Case(
        recorded, 'nothing came on /rear, one of input_topics', given='--params two.yaml'
    ),
    '… and … both say frame …: tell them apart by frame_override': Case(
        partial(two_radars, ('radar', 'radar')), 'both say frame', 'MEND', '--params ncut.yaml'
    ),
    'odometry has … …, … is …: its poses are taken for those of base_frame in odom_frame': Case(
        partial(changed, lambda _, message: _set(message, child_frame_id='axle'), '/odom'),
        "odometry has child_frame_id 'axle'",
        'note',
    ),
    'no odometry around a scan at … s, the newest is of … s …: does it come often enough, and do '
    'its stamps and those of the radar come from one clock?': Case(
        sparse_odometry, 'no odometry around a scan at'
    ),
    'there is no map at …: …': Case(recorded, 'there is no map at', given='--map nowhere'),
    'map … was filled in descriptor space …, but … encodes in …: use the student of the same '
    "training run as the map's teacher, or …": Case(
        recorded, 'was filled in descriptor space b', given='--map other'
    ),
    '… is not a usable ONNX model: …; use the models of the export command': Case(
        recorded, 'text.onnx', given='--student text.onnx'
    ),
}
_NODE = 'the node itself, its services or its lifecycle'
_CHOSEN = 'a risk that the user chose'
_BACK_END = 'a back end'
_PRIOR = 'told while it drives where it is: test_localize_priors'
_PASSES = 'test_passes'
_DEVICE = 'the machine: test_device_choice, test_speeds'
_START = 'parameters or maps alone, whatever comes: tests of the node and of maps have them'
OTHERWISE = {
    'the node is not active': _NODE,
    'no message on … for … s: is the driver running, and its QoS compatible?': 'test_doctor_live',
    'a query failed: …': _NODE,
    'queries take all the time, … of it': 'the machine',
    'none of the last … queries was accepted': 'said with the answers, from 200 scans on',
    '… of the queries resemble no place of the map': 'likewise',
    'only … of the accepted places agree with the odometry': 'likewise',
    'this radar is unlike those the calibration knows: …: accept.risk': _CHOSEN,
    'the poses of map … disagree with its returns by … m between neighbouring keyframes (median; '
    'at most …): accept.risk': _CHOSEN,
    'a part of map … cannot be read': 'a map that changes while it is in use',
    'asked by submaps': _CHOSEN,
    'the running drive is full': 'a gigabyte of keyframes',
    'a scan failed: …: …': 'a fault of ours',
    'stamp … s cannot be: left out': 'rosbag2 keeps no such stamp of the simulated drives',
    'TF does not know …: … is left out': 'merging, which the node does',
    'a publisher of … is best effort': 'a subscription that is reliable by choice',
    'the transition … is refused': _NODE,
    'cannot …: …': _NODE,
    'a request of … failed: …': _NODE,
    '… gives under …, to nodes of any name': 'a shared parameter file',
    'nothing was set: …': _NODE,
    'nobody subscribes to …': _BACK_END,
    'nobody offers …': _BACK_END,
    'closures came faster': _BACK_END,
    'no reply of …': _BACK_END,
    'no node of RTAB-Map': _BACK_END,
    'RTAB-Map has no node': _BACK_END,
    'Autoware ': _BACK_END,
    'MOLA refused': _BACK_END,
    'no map: set the parameter': 'quickstart says it: test_quickstart',
    'confidence_path: …': _START,
    '… has format version …': _START,
    '… gives a descriptor of length …': _START,
    'online_index remembers': _START,
    'map … was made by a 4D radar': _START,
    'map … was built with --encoder …': _START,
    'the origins of the maps differ': _START,
    '… are sessions of drives': _START,
    'the maps of … are in the frames': _START,
    'unknown parameter …': _START,
    'parameter … is the integer …': _START,
    'adapter … needs the package …': _START,
    'no heartbeats for a lifecycle manager': _START,
    'a message on … was left out': _PRIOR,
    'a message on … was … s off the scans': _PRIOR,
    'nothing of the map is within …': _PRIOR,
    'the place server … ': 'test_localize_place_server',
    '… gives other descriptors on device …': _DEVICE,
    'device is … but …': _DEVICE,
    'speeds of the encoder are measured ': _DEVICE,
    'models are tried at each start': _PASSES,
    'the model is tried again': _PASSES,
}


def rows() -> Iterator[str]:
    for found in re.finditer(r'^\| (`+)(.+?)\1 \|', TABLES.read_text(), re.MULTILINE):
        yield found[2]


def test_every_row_of_the_tables_is_shown_or_has_a_reason_why_not() -> None:
    unshown = [row for row in rows() if row not in SHOWN]
    assert [row for row in unshown if not row.startswith(tuple(OTHERWISE))] == []
    assert sorted(set(SHOWN) - set(rows())) == []
    assert [
        start for start in OTHERWISE if not any(map(str.startswith, unshown, [start] * 99))
    ] == []


@pytest.fixture(scope='module')
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with models, maps and parameter files."""
    folder = tmp_path_factory.mktemp('here')
    write_small_encoder(folder / 'student.onnx', '4d')
    (folder / 'text.onnx').write_text('no model')
    teacher = small_encoder(folder, 'spinning')
    database = build_database(DRIVE, teacher)
    database.confidence = calibration_of(DRIVE, small_encoder(folder, '4d'))
    database.save(folder / 'calibrated')
    build_database(jolted(DRIVE, 2.0), teacher).save(folder / 'jolted')
    build_database(DRIVE, small_encoder(folder, 'spinning', 'b' * 64)).save(folder / 'other')
    files = {
        'header': 'stamp_source: header',
        'two': f'input_topics: [/rear, {TOPIC}]',
        'ncut': 'input_topics: [/ars548_process/point_front_cloud2, '
        '/ars548_process/point_side_cloud2]',
    }
    for name, text in files.items():
        (folder / f'{name}.yaml').write_text(f'/**:\n  ros__parameters:\n    {text}\n')
    return folder


@pytest.mark.parametrize('row', SHOWN)
def test_the_doctor_shows_it(
    row: str,
    here: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    case = SHOWN[row]
    monkeypatch.chdir(here)
    bag = write_ros2(tmp_path / 'bag', case.messages())
    given = case.given.split()
    if '--student' not in given and 'spinning' not in given and 'polar' not in row:
        given += ['--student', 'student.onnx']
    if 'spinning radar is mounted' in row:
        given = []
    code = main([str(bag), *given])
    said = capsys.readouterr().out
    lines = [line for line in said.splitlines() if re.search(case.said, line)]
    assert lines, said
    assert lines[0].startswith(case.level), said
    assert code == 1 or case.level != 'MEND'
