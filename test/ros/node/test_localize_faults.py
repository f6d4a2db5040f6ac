# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Break what the running localizer gets: clouds, the map, the model."""

from __future__ import annotations

import array
from collections.abc import Callable, Iterator
import json
from pathlib import Path
import shutil
import subprocess
import sys
from typing import Any

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
import numpy as np
import pytest
from sensor_msgs.msg import PointCloud2
from ssd_ros.recognition import candidates
from std_srvs.srv import Trigger
from support.localizer import double, DRIVE, Localizer, NODE, running_localizer, set_parameter
from support.posts import write_sealed_meta, write_small_encoder
from support.ros import Peer, points_msg

UINT32 = 2**32


@pytest.fixture(scope='module')
def localizer(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localizer]:
    with running_localizer(peer, tmp_path_factory.mktemp('faults')) as running:
        yield running


def best_of(localizer: Localizer, index: int) -> Any:
    """Return the first row of the answer to the scan of a place."""
    return candidates.from_msg(localizer.answer_to(localizer.send(index)))[0]


def spoil(msg: PointCloud2, generator: np.random.Generator) -> None:
    """Change what a driver could get wrong in one to three places."""

    def size() -> int:
        largest = generator.choice([4, 200, UINT32])
        return int(generator.integers(0, largest))

    for _ in range(generator.integers(1, 4)):
        item = msg.fields[generator.integers(0, len(msg.fields))]
        match generator.integers(0, 6):
            case 0:
                name = ('height', 'width', 'point_step', 'row_step')[generator.integers(0, 4)]
                setattr(msg, name, size())
            case 1:
                item.offset = size()
            case 2:
                item.datatype = int(generator.integers(0, 256))
            case 3:
                item.name = str(generator.choice(['', 'x', 'é', 'n' * 1000]))
            case 4:
                msg.data = array.array('B', generator.bytes(len(msg.data)))
            case 5:
                msg.data = msg.data[: generator.integers(0, len(msg.data) + 1)]
    msg.is_bigendian = bool(generator.integers(0, 2))


def test_hundreds_of_spoilt_clouds_over_dds_end_nothing(localizer: Localizer) -> None:
    generator = np.random.default_rng(0)
    before = int(localizer.values('input')['messages'])
    for _ in range(60):
        for _ in range(4):  # with the good one as many as the node's queue holds
            localizer.clock_ns += 2_000_000_000  # as those that `send` publishes
            msg = points_msg(DRIVE.cloud(4), localizer.clock_ns)
            spoil(msg, generator)
            localizer.publisher.publish(msg)
        assert best_of(localizer, 4)['keyframe_id'] == 4
    values = localizer.values('input')
    # Best effort may lose some on the way, not most.
    assert 200 < int(values['messages']) - before <= 300
    refused = {name: int(count) for name, count in values.items() if name.startswith('refused_')}
    assert refused.keys() <= {
        f'refused_{reason}'
        for reason in ('short_data', 'bad_layout', 'missing_field', 'empty', 'no_valid_point')
    }
    assert sum(refused.values()) > 50
    assert localizer.values('inference')['failed'] == '0'


def flip_a_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) * 2 // 3] ^= 0x40
    file.write_bytes(content)


def make_a_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


def claim_a_terabyte(file: Path) -> None:
    meta = json.loads(file.read_text())
    meta['num_keyframes'] = 10**12
    write_sealed_meta(file, meta)


@pytest.mark.parametrize(
    ('name', 'damage', 'reason'),
    [
        ('descriptors.npy', flip_a_byte, 'descriptors.npy is damaged'),
        ('keyframes.npy', flip_a_byte, 'keyframes.npy is damaged'),
        ('returns.npy', flip_a_byte, 'returns.npy is damaged'),
        ('descriptors.npy', Path.unlink, 'descriptors.npy is missing'),
        ('keyframes.npy', make_a_directory, 'keyframes.npy is missing'),
        ('meta.json', make_a_directory, 'has no meta.json'),
        ('meta.json', claim_a_terabyte, 'meta.json says'),
    ],
)
def test_a_damaged_map_is_refused_with_the_reason_and_the_old_one_answers(
    localizer: Localizer, name: str, damage: Callable[[Path], None], reason: str
) -> None:
    file = localizer.map_path / name
    damage(file)
    try:
        response = localizer.peer.call(Trigger, f'{NODE}/reload_map')
    finally:
        shutil.rmtree(localizer.map_path)
        localizer.database.save(localizer.map_path)
    assert not response.success
    assert response.message.startswith('kept the old map')
    assert reason in response.message
    best = best_of(localizer, 21)
    assert (best['keyframe_id'], best['map_id']) == (21, localizer.database.info.map_id)
    assert localizer.peer.call(Trigger, f'{NODE}/reload_map').success


# Copies a map over another without end, as `cp` does: every file is cut to nothing first.
COPIER = """
import shutil, sys
print('begins', flush=True)
while True:
    shutil.copytree(sys.argv[1], sys.argv[2], dirs_exist_ok=True)
"""


def test_a_map_that_is_copied_over_while_it_is_loaded_is_whole_or_refused(
    localizer: Localizer, tmp_path: Path
) -> None:
    shutil.copytree(localizer.map_path, tmp_path / 'source')
    command = [sys.executable, '-c', COPIER, str(tmp_path / 'source'), str(localizer.map_path)]
    copier = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert copier.stdout is not None
    try:
        assert copier.stdout.readline() == b'begins\n'
        replies = [localizer.peer.call(Trigger, f'{NODE}/reload_map') for _ in range(60)]
    finally:
        copier.kill()
        copier.wait()
        copier.stdout.close()
        shutil.rmtree(localizer.map_path)
        localizer.database.save(localizer.map_path)
    refused = [reply.message for reply in replies if not reply.success]
    assert all(
        text.startswith('kept the old map: ') and str(localizer.map_path) in text
        for text in refused
    ), refused
    best = best_of(localizer, 21)
    assert (best['keyframe_id'], best['map_id']) == (21, localizer.database.info.map_id)
    assert localizer.peer.call(Trigger, f'{NODE}/reload_map').success


def change_state(peer: Peer, transition: int) -> bool:
    request = ChangeState.Request(transition=Transition(id=transition))
    return bool(peer.call(ChangeState, f'{NODE}/change_state', request).success)


def test_the_first_scan_after_activation_is_searched_for_wherever_it_is(
    localizer: Localizer,
) -> None:
    peer = localizer.peer
    assert set_parameter(peer, 'min_travel', double(5.0)).successful
    localizer.answer_to(localizer.send(8, 80.0))
    assert change_state(peer, Transition.TRANSITION_DEACTIVATE)
    assert change_state(peer, Transition.TRANSITION_ACTIVATE)
    localizer.answer_to(localizer.send(8, 80.0))
    assert set_parameter(peer, 'min_travel', double(0.0)).successful


def test_a_model_swapped_under_the_node_changes_nothing_until_it_is_configured_again(
    localizer: Localizer, tmp_path: Path
) -> None:
    peer, model = localizer.peer, localizer.map_path.with_name('student.onnx')
    good, before = model.read_bytes(), best_of(localizer, 8)
    foreign = write_small_encoder(tmp_path / 'foreign.onnx', '4d', space='d' * 64).read_bytes()
    for spoilt, reason in (
        (foreign, 'was filled in descriptor space aaaaaaaaaaaa'),
        (good[:5000], 'is not a usable ONNX model'),
    ):
        model.write_bytes(spoilt)
        assert best_of(localizer, 8)['distance'] == before['distance']
        assert change_state(peer, Transition.TRANSITION_DEACTIVATE)
        assert change_state(peer, Transition.TRANSITION_CLEANUP)
        assert not change_state(peer, Transition.TRANSITION_CONFIGURE)
        localizer.running.wait_for_text(reason)
        model.write_bytes(good)
        assert change_state(peer, Transition.TRANSITION_CONFIGURE)
        assert change_state(peer, Transition.TRANSITION_ACTIVATE)
        assert best_of(localizer, 8)['distance'] == before['distance']
