# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check search against distances worked out by hand, and that a broken map is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
import hashlib
import json
import math
from pathlib import Path
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import faiss
import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray
import pytest
from ssd_ros.encoders import byte_rows
from ssd_ros.encoders.scan_context import ScanContextConfig
from ssd_ros.maps.files import MapContent, MapInfo
from ssd_ros.maps.meta import MapError
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.maps.target import check_map_target
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory
from support.calibrations import EASY
from support.posts import write_sealed_meta

ROOT = Path(__file__).parents[2]
SPACE = 'a' * 64
# Stamps above 2**53 and UTM coordinates: neither survives float32, the first not even float64.
FIRST_STAMP_NS = 1_735_689_600_000_000_001

ENDLESS_SAVER = """
import sys
import numpy as np
from ssd_ros.maps.files import MapContent, MapInfo
from ssd_ros.maps.target import check_map_target
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.encoders.scan_context import ScanContextConfig
from ssd_ros.motion.trajectory import Trajectory
descriptors = np.zeros((2000, 16), np.float32)
descriptors[:, 0] = 1
quaternions = np.zeros((1000, 4))
quaternions[:, 3] = 1
poses = Trajectory(np.arange(1000), np.zeros((1000, 3)), quaternions)
returns_cm = np.zeros((1000, 8, 2), np.int16)
while True:
    info = MapInfo('a' * 64, 'b' * 64, 2, 2.0)
    PlaceDatabase(MapContent(descriptors, poses, returns_cm, info)).save(sys.argv[1])
    print('saved', flush=True)
"""


def poses(num: int) -> Trajectory:
    positions_m = np.array([500_000.123, 4_500_000.456, 30.0]) + np.arange(num)[:, None] * 2.0
    quaternions = quaternion_from_yaw(np.arange(num) * 0.1)
    return Trajectory(FIRST_STAMP_NS + np.arange(num) * 250_000_000, positions_m, quaternions)


def circle(*angles_deg: float) -> NDArray[np.float32]:
    """Return unit vectors of the plane: two of them are 2 sin(half their angle) apart."""
    radians = np.radians(angles_deg)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def no_returns(num_keyframes: int) -> NDArray[np.int16]:
    return np.zeros((num_keyframes, 8, 2), np.int16)


def info(num_views: int = 2) -> MapInfo:
    return MapInfo(SPACE, 'b' * 64, num_views, keyframe_distance_m=2.0, source='Test/01')


def database() -> PlaceDatabase:
    """Return three keyframes of two views at 0 and 10, 60 and 90, 180 and 200 degrees."""
    return PlaceDatabase(
        MapContent(circle(0, 10, 60, 90, 180, 200), poses(3), no_returns(3), info())
    )


def test_search_keeps_the_best_view_of_each_keyframe_nearest_first() -> None:
    found = database().search(circle(80)[0], num_rows=6)
    assert found.keyframes.tolist() == [1, 0, 2]
    assert found.yaws_rad.tolist() == [math.pi, math.pi, 0]
    expected = [2 * math.sin(math.radians(angle) / 2) for angle in (10, 70, 100)]
    np.testing.assert_allclose(found.distances, expected, atol=1e-3)
    assert found.horizon == pytest.approx(2 * math.sin(math.radians(60)), abs=1e-3)


def test_search_looks_at_no_more_rows_than_asked() -> None:
    found = database().search(circle(80)[0], num_rows=2)
    assert found.keyframes.tolist() == [1]
    assert found.horizon == pytest.approx(2 * math.sin(math.radians(10)), abs=1e-3)
    assert len(database().search(circle(80)[0], num_rows=1000)) == 3


def test_search_equals_a_plain_search_over_random_descriptors() -> None:
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(100 * 4, 32)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    places = PlaceDatabase(MapContent(rows, poses(100), no_returns(100), info(num_views=4)))
    query = rows[7] * 0.8 + rows[200] * 0.6
    query /= np.linalg.norm(query)
    distances = np.linalg.norm(rows - query, axis=1).reshape(100, 4)
    found = places.search(query, num_rows=400)
    np.testing.assert_array_equal(found.keyframes, np.argsort(distances.min(axis=1)))
    views = distances.argmin(axis=1)[found.keyframes]
    np.testing.assert_array_equal(found.yaws_rad, places.view_yaws_rad[views])
    np.testing.assert_allclose(found.distances, np.sort(distances.min(axis=1)), atol=1e-3)


def test_a_whole_turn_is_refused_where_it_cannot_be_found() -> None:
    ring = circle(0, 10)
    assert database().search_turn(ring, 3).keyframes[0] == 0
    assert database().search_turn(np.repeat(ring, 3, axis=0), 3).distances[0] < 1e-3  # thinned
    for wrong in (ring[:1], ring[:, :-1], ring[:0]):
        with pytest.raises(MapError, match=r'ring has shape .* this map has \(2, '):
            database().search_turn(wrong, 3)
    with pytest.raises(MapError, match=r'length 0.5, expected 1'):
        database().search_turn(ring * np.float32(0.5), 3)
    with pytest.raises(ValueError, match='num_keyframes is 0'):
        database().search_turn(ring, 0)
    few = PlaceDatabase(MapContent(circle(0), poses(1), no_returns(1), info(num_views=1)))
    with pytest.raises(MapError, match=r'has one view a keyframe.*without --views'):
        few.search_turn(circle(0), 1)
    of_4d = replace(info(num_views=1), sensor='4d')
    part = PlaceDatabase(MapContent(circle(0), poses(1), no_returns(1), of_4d))
    with pytest.raises(MapError, match='made by a 4D radar'):
        part.search_turn(circle(0), 1)


def scan_context_map(num: int = 3) -> PlaceDatabase:
    """Return keyframes of 4 rings and 6 sectors."""
    rows = np.random.default_rng(0).random((num, 24), np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    config = ScanContextConfig(num_rings=4, num_sectors=6)
    return PlaceDatabase(
        MapContent(rows, poses(num), no_returns(num), replace(info(1), scan_context=config))
    )


def test_a_map_of_scan_contexts_comes_back_and_tells_the_heading(tmp_path: Path) -> None:
    scan_context_map().save(tmp_path / 'map')
    loaded = PlaceDatabase.load(tmp_path / 'map')
    assert (loaded.info.encoder, loaded.num_rows) == ('scan_context', 3)
    np.testing.assert_array_equal(loaded.descriptors(), scan_context_map().descriptors())
    assert loaded.info.scan_context == ScanContextConfig(num_rings=4, num_sectors=6)
    # Turned right by two sectors of 60 degrees.
    query = np.roll(loaded.descriptors()[1].reshape(4, 6), -2, axis=1).reshape(-1)
    found = loaded.search(query, num_rows=3)
    assert (found.keyframes[0], found.distances[0]) == (1, pytest.approx(0, abs=2e-3))
    assert found.yaws_rad[0] == pytest.approx(math.radians(-120))
    turn = loaded.search_turn(query[None], num_keyframes=2)
    assert turn.keyframes.tolist() == found.keyframes[:2].tolist()


def test_faiss_uses_its_threads_in_whatever_thread_it_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(byte_rows, '_scan', None)  # compiled by an earlier test
    places, counts = database(), []

    def search() -> None:
        faiss.omp_set_num_threads(2)
        places.search(circle(80)[0], num_rows=6)
        counts.append(faiss.omp_get_max_threads())

    thread = threading.Thread(target=search)
    thread.start()
    thread.join()
    assert counts == [1]


def test_view_yaws_turn_clockwise() -> None:
    places = PlaceDatabase(
        MapContent(circle(*range(0, 360, 30)), poses(3), no_returns(3), info(num_views=4))
    )
    np.testing.assert_allclose(places.view_yaws_rad, np.radians([0, -90, 180, -90 + 180]))


@pytest.mark.parametrize(
    ('descriptor', 'message'),
    [
        (np.array([1, 0, 0], np.float32), r'shape \(3,\), this map has \(2,\)'),
        (np.array([3, 4], np.float32), 'length 5, expected 1'),
        (np.array([np.nan, 1], np.float32), 'length nan, expected 1'),
    ],
)
def test_a_descriptor_of_another_kind_is_refused(descriptor: Any, message: str) -> None:
    with pytest.raises(MapError, match=message):
        database().search(descriptor, num_rows=6)
    with pytest.raises(ValueError, match='num_rows is 0'):
        database().search(circle(0)[0], num_rows=0)


@pytest.mark.parametrize(
    ('descriptors', 'num_keyframes', 'message'),
    [
        (circle(0, 10, 20), 2, r'shape \(3, 2\).*2 keyframes \* 2 views = 4'),
        (circle(0, 10).astype(np.float64), 1, 'float64.*float32'),
        (circle(0, 10) * np.float32(1.1), 1, r'descriptor 0 has length 1\.1'),
        (np.array([[1, 0], [np.inf, 0]], np.float32), 1, 'descriptor 1 has length inf'),
        (np.zeros((0, 2), np.float32), 0, 'at least one keyframe'),
    ],
)
def test_arrays_that_make_no_map_are_refused(
    descriptors: Any, num_keyframes: int, message: str
) -> None:
    with pytest.raises(MapError, match=message):
        MapContent(descriptors, poses(num_keyframes), no_returns(num_keyframes), info())


def test_poses_that_are_no_poses_are_refused() -> None:
    good = poses(1)
    lost = Trajectory(good.stamps_ns, good.positions_m * np.nan, good.quaternions_xyzw)
    with pytest.raises(MapError, match=r'keyframe 0 is at \[nan, nan, nan\] m, expected finite'):
        MapContent(circle(0, 10), lost, no_returns(1), info())
    bent = Trajectory(good.stamps_ns, good.positions_m, good.quaternions_xyzw * 0)
    with pytest.raises(MapError, match='quaternion is not of unit length'):
        MapContent(circle(0, 10), bent, no_returns(1), info())


def test_an_encoder_of_another_training_run_is_refused_by_name() -> None:
    database().require_encoder('network', SPACE, 'student.onnx')
    with pytest.raises(MapError, match=r'space aaaaaaaaaaaa, but other\.onnx encodes in cccccc'):
        database().require_encoder('network', 'c' * 64, 'other.onnx')
    message = (
        r'with --encoder network, but x\.json is a scan_context: set encoder:=network, or build'
    )
    with pytest.raises(MapError, match=message):
        database().require_encoder('scan_context', SPACE, 'x.json')


def test_a_saved_map_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    places = database()
    places.save(tmp_path / 'map')
    loaded = PlaceDatabase.load(tmp_path / 'map')
    assert loaded.info == places.info
    np.testing.assert_array_equal(loaded.descriptors(), places.descriptors())
    np.testing.assert_array_equal(loaded.returns_cm, places.returns_cm)
    np.testing.assert_array_equal(loaded.keyframes.stamps_ns, places.keyframes.stamps_ns)
    np.testing.assert_array_equal(loaded.keyframes.positions_m, places.keyframes.positions_m)
    np.testing.assert_array_equal(
        loaded.keyframes.quaternions_xyzw, places.keyframes.quaternions_xyzw
    )
    assert loaded.keyframes.stamps_ns[0] == FIRST_STAMP_NS
    assert loaded.info.map_id == places.info.map_id
    assert sorted(file.name for file in (tmp_path / 'map').iterdir()) == [
        'descriptors.npy',
        'keyframes.npy',
        'meta.json',
        'returns.npy',
    ]


def test_two_maps_never_share_their_uuid() -> None:
    assert info().uuid != info().uuid


def test_saving_replaces_a_map_but_nothing_else(tmp_path: Path) -> None:
    database().save(tmp_path / 'map')
    database().save(tmp_path / 'map')
    (tmp_path / 'home').mkdir()
    (tmp_path / 'home' / 'thesis.tex').write_text('precious')
    for target in (tmp_path / 'home', tmp_path / 'home' / 'thesis.tex'):
        with pytest.raises(MapError, match='exists and is not a map'):
            database().save(target)
    assert (tmp_path / 'home' / 'thesis.tex').read_text() == 'precious'
    (tmp_path / 'empty').mkdir()
    check_map_target(tmp_path / 'empty')


@pytest.mark.parametrize('text', ['{}', '', '{"format_version": 2}', '{"name": "my data set"}'])
def test_a_folder_with_a_meta_json_of_another_kind_is_not_replaced(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / 'src').mkdir()
    (tmp_path / 'src' / 'thesis.tex').write_text('precious')
    (tmp_path / 'meta.json').write_text(text)
    with pytest.raises(MapError, match='exists and is not a map: choose another place'):
        database().save(tmp_path)
    assert (tmp_path / 'src' / 'thesis.tex').read_text() == 'precious'


@pytest.mark.parametrize('name', ['notes.txt', '.git', 'library.map', 'returns.npy'])
def test_a_map_with_something_beside_its_files_is_not_replaced(tmp_path: Path, name: str) -> None:
    """The last one is a folder that only has the name of a file."""
    database().save(tmp_path / 'map')
    (tmp_path / 'map' / name).unlink(missing_ok=True)
    (tmp_path / 'map' / name).mkdir()
    (tmp_path / 'map' / name / 'thesis.tex').write_text('precious')
    with pytest.raises(MapError, match=f"holds '{name}' beside a map"):
        database().save(tmp_path / 'map')
    assert (tmp_path / 'map' / name / 'thesis.tex').read_text() == 'precious'


def test_a_damaged_map_is_left_to_its_owner(tmp_path: Path) -> None:
    database().save(tmp_path / 'map')
    file = tmp_path / 'map' / 'meta.json'
    file.write_text(file.read_text().replace('"num_keyframes": ', '"num_keyframes": 1'))
    before = file.read_text()
    with pytest.raises(MapError, match='is damaged'):
        database().save(tmp_path / 'map')
    assert file.read_text() == before


def test_a_map_of_another_sensor_is_replaced_only_if_that_is_said(tmp_path: Path) -> None:
    database().save(tmp_path / 'map')
    sensor = database().info.sensor
    other = {'spinning': '4d', '4d': 'spinning'}[sensor]
    check_map_target(tmp_path / 'map')
    check_map_target(tmp_path / 'map', sensor)
    with pytest.raises(MapError, match=f"is a map of sensor '{sensor}', not of '{other}'"):
        check_map_target(tmp_path / 'map', other)


def test_what_would_be_refused_at_load_is_not_made() -> None:
    for changes in ({'novelty_distance': math.nan}, {'uuid': ''}, {'map_frame_id': 'a\nb'}):
        with pytest.raises(ValueError, match=next(iter(changes))):
            replace(database().info, **changes)


@pytest.mark.parametrize(
    ('stamp_ns', 'position_m', 'message'),
    [
        ((1 << 31) * 10**9, 0.0, r'keyframe 0 has the stamp 2147483648000000000 ns'),
        (-1, 0.0, 'keyframe 0 has the stamp -1 ns'),
        (0, 1e308, r'keyframe 0 is at \[1e\+308, 0.0, 0.0\] m'),
        (0, -math.inf, r'keyframe 0 is at \[-inf, 0.0, 0.0\] m'),
    ],
)
def test_keyframes_that_no_message_can_carry_are_refused(
    stamp_ns: int, position_m: float, message: str
) -> None:
    good = poses(1)
    bad = Trajectory(np.array([stamp_ns]), np.array([[position_m, 0, 0]]), good.quaternions_xyzw)
    with pytest.raises(MapError, match=message):
        MapContent(circle(0, 10), bad, no_returns(1), info())
    last = Trajectory(np.array([(1 << 31) * 10**9 - 1]), good.positions_m, good.quaternions_xyzw)
    assert len(MapContent(circle(0, 10), last, no_returns(1), info()).keyframes) == 1


def edit_meta(path: Path, **changes: Any) -> None:
    meta = json.loads((path / 'meta.json').read_text())
    write_sealed_meta(path / 'meta.json', {**meta, **changes})


def edit_info(path: Path, **changes: Any) -> None:
    meta = json.loads((path / 'meta.json').read_text())
    edit_meta(path, info={**meta['info'], **changes})


JUDGED = dict.fromkeys(('num_queries', 'num_strangers', 'num_accepted'), 9) | dict.fromkeys(
    ('precision', 'recall', 'stranger_rate', 'calibration_error'), 0.5
)


def calibration(**changes: Any) -> dict[str, Any]:
    return {**json.loads(json.dumps(asdict(EASY))), **changes}


def rename_the_drive(path: Path) -> None:
    meta = path / 'meta.json'
    meta.write_text(meta.read_text().replace('Test/01', 'Test/02'))


def drop_the_checksum(path: Path) -> None:
    meta = json.loads((path / 'meta.json').read_text())
    del meta['meta_sha256']
    (path / 'meta.json').write_text(json.dumps(meta))


def truncate(path: Path) -> None:
    file = path / 'descriptors.npy'
    file.write_bytes(file.read_bytes()[:-4])


def flip_a_bit(path: Path) -> None:
    content = bytearray((path / 'descriptors.npy').read_bytes())
    content[-3] ^= 1
    (path / 'descriptors.npy').write_bytes(content)


def write_as_listed(path: Path, name: str, content: bytes) -> None:
    """Replace a file together with its size and checksum, as an attacker would."""
    (path / name).write_bytes(content)
    files = json.loads((path / 'meta.json').read_text())['files']
    files[name] = {'bytes': len(content), 'sha256': hashlib.sha256(content).hexdigest()}
    edit_meta(path, files=files)


def claim_a_terabyte(path: Path) -> None:
    header = path / 'header'
    with header.open('wb') as file:
        npy_format.write_array_header_1_0(  # type: ignore[no-untyped-call]
            file, {'descr': '<f4', 'fortran_order': False, 'shape': (10**12, 2)}
        )
    write_as_listed(path, 'descriptors.npy', header.read_bytes())
    header.unlink()


def hide_a_pickle(path: Path) -> None:
    file = path / 'pickle'
    np.save(file, np.array([{'a': 1}] * 6, dtype=object), allow_pickle=True)
    write_as_listed(path, 'descriptors.npy', (path / 'pickle.npy').read_bytes())
    (path / 'pickle.npy').unlink()


def swap_in_float64(path: Path) -> None:
    np.save(path / 'wide.npy', circle(0, 10, 60, 90, 180, 200).astype(np.float64))
    write_as_listed(path, 'descriptors.npy', (path / 'wide.npy').read_bytes())
    (path / 'wide.npy').unlink()


def mix_with_another_map(path: Path) -> None:
    other = PlaceDatabase(
        MapContent(circle(5, 15, 65, 95, 185, 205), poses(3), no_returns(3), info())
    )
    other.save(path.parent / 'other')
    content = (path.parent / 'other' / 'descriptors.npy').read_bytes()
    (path / 'descriptors.npy').write_bytes(content)


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        (truncate, r'descriptors\.npy has 172 bytes, meta\.json says 176.*truncated'),
        (flip_a_bit, r'descriptors\.npy is damaged \(its SHA-256 differs'),
        (mix_with_another_map, r'descriptors\.npy is damaged'),
        (lambda path: (path / 'keyframes.npy').unlink(), r'keyframes\.npy is missing'),
        (lambda path: (path / 'meta.json').unlink(), r'is not a map: it has no meta\.json'),
        (lambda path: (path / 'meta.json').write_text('{'), 'is not JSON'),
        (lambda path: (path / 'meta.json').write_text('[' * 100_000), 'is not JSON'),
        (lambda path: (path / 'meta.json').write_text('[1]'), 'does not describe a map'),
        (lambda path: (path / 'meta.json').write_text('{"a": 1}'), 'it has no format_version'),
        (
            lambda path: (path / 'meta.json').write_bytes(b' ' * ((1 << 23) + 1)),
            'too many for a map',
        ),
        (rename_the_drive, r'meta\.json is damaged \(its SHA-256 differs'),
        (drop_the_checksum, r'meta\.json is damaged'),
        (lambda path: edit_info(path, novelty_distance=math.nan), 'not JSON compliant'),
        (lambda path: edit_info(path, novelty_distance=-math.inf), 'not JSON compliant'),
        (lambda path: edit_meta(path, format_version=1), 'version 1, this ssd_ros reads 2'),
        (lambda path: edit_meta(path, confidence=3), 'confidence is 3, expected dict or null'),
        (lambda path: edit_meta(path, num_returns=9), r'meta\.json says \(3, 9, 2\) of int16'),
        (lambda path: edit_meta(path, num_keyframes='3'), "num_keyframes is '3', expected int"),
        (lambda path: edit_meta(path, num_keyframes=4), r'meta\.json says \(8, 2\) of float32'),
        (lambda path: edit_meta(path, num_keyframes=-3), r'meta\.json says \(-6, 2\)'),
        (lambda path: edit_meta(path, info=None), 'info is None, expected dict'),
        (lambda path: edit_meta(path, files={}), r'does not list descriptors\.npy'),
        (lambda path: edit_info(path, scan_context={'num_rings': 2}), 'expected one scan context'),
        (lambda path: edit_info(path, scan_context={'rings': 2}), r'option scan_context\.rings'),
        (lambda path: edit_info(path, scan_context={'num_rings': 0}), '0 rings of 120 sectors'),
        (lambda path: edit_info(path, num_views=3), r'meta\.json says \(9, 2\)'),
        (lambda path: edit_info(path, num_views='2'), "num_views is '2', expected int"),
        (lambda path: edit_info(path, colour='red'), 'unknown option colour'),
        (
            lambda path: edit_info(path, keyframe_distance_m=-2.0),
            'keyframe_distance_m is -2.0, ex',
        ),
        (lambda path: edit_info(path, keyframe_distance_m=1e308), r'distance_m is 1e\+308, expec'),
        (lambda path: edit_info(path, num_scans=10**30), 'num_scans is 10*, too large'),
        (lambda path: edit_info(path, novelty_distance=5), 'novelty_distance is 5.0, expected 0'),
        (lambda path: edit_info(path, sensor='sonar'), "sensor is 'sonar'; choose from spinning"),
        (lambda path: edit_info(path, uuid=''), "uuid is '' of 0 characters, expected 1 .. 64"),
        (lambda path: edit_info(path, uuid='a' * 900_000), "uuid is 'a*...a*' of 900000 char"),
        (lambda path: edit_info(path, map_frame_id='map\nodom'), "frame_id is 'map.*without line"),
        (lambda path: edit_info(path, map_frame_id=''), 'map_frame_id is .* expected 1 .. 25'),
        (lambda path: edit_info(path, origin='\x1b[2J'), 'origin is .*without line breaks'),
        (lambda path: edit_meta(path, confidence=calibration(threshold=0)), 'threshold is 0.0, e'),
        (
            lambda path: edit_meta(path, confidence=calibration(tolerance_m=-5)),
            'tolerance_m is -5',
        ),
        (
            lambda path: edit_meta(
                path, confidence=calibration(fitted={**JUDGED, 'precision': 7})
            ),
            r'precision is 7.0, expected 0 \.\. 1',
        ),
        (claim_a_terabyte, r'descriptors\.npy is not an array: it says \(1000000000000, 2\)'),
        (hide_a_pickle, r'descriptors\.npy is not an array: .*Python objects'),
        (swap_in_float64, r'holds \(6, 2\) of float64'),
    ],
)
def test_a_broken_map_is_refused_with_the_reason(
    tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / 'map'
    database().save(path)
    damage(path)
    with pytest.raises(MapError, match=message):
        PlaceDatabase.load(path)


def test_an_absent_map_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(MapError, match=r'there is no map at .*/map: build .* with build_db'):
        PlaceDatabase.load(tmp_path / 'map')


def test_a_saver_killed_at_any_moment_leaves_a_whole_map(tmp_path: Path) -> None:
    path = tmp_path / 'map'
    for delay_s in (0.0, 0.002, 0.005, 0.009):
        command = [sys.executable, '-c', ENDLESS_SAVER, str(path)]
        saver = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert saver.stdout is not None
        assert saver.stdout.readline() == 'saved\n'
        time.sleep(delay_s)
        saver.send_signal(signal.SIGKILL)
        saver.wait()
        saver.stdout.close()
        assert len(PlaceDatabase.load(path)) == 1000
