# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Give the localizer clocks that stop and jump, a killer, hostile parameters, too much to do."""

from __future__ import annotations

import json
from pathlib import Path
import signal
import time

from builtin_interfaces.msg import Time
import pytest
from rosgraph_msgs.msg import Clock
from ssd_ros.cli.soak import command as soak
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.recognition import candidates
from std_srvs.srv import Trigger
from support.localizer import Localizer, NODE, running_localizer
from support.posts import write_small_encoder
from support.ros import Peer, Processes


def test_simulated_time_that_stands_still_stops_neither_answers_nor_health(
    peer: Peer, tmp_path: Path
) -> None:
    with running_localizer(peer, tmp_path, use_sim_time=True) as localizer:
        for index in (6, 7):
            rows = candidates.from_msg(localizer.answer_to(localizer.send(index)))
            assert rows[0]['keyframe_id'] == index
        assert int(localizer.values('matching')['queries']) == 2
        assert localizer.status('input').level == b'\x00'


def test_a_bag_that_loops_is_answered_alike_in_every_round(peer: Peer, tmp_path: Path) -> None:
    with running_localizer(peer, tmp_path, use_sim_time=True) as localizer:
        clock, start_ns = peer.speak(Clock, '/clock'), localizer.clock_ns
        rounds = []
        for _ in range(3):
            localizer.clock_ns = start_ns
            localizer.candidates.clear()
            answers = []
            for index in (3, 4, 5):
                seconds, nanoseconds = divmod(localizer.clock_ns + 2_000_000_000, 10**9)
                clock.publish(Clock(clock=Time(sec=seconds, nanosec=nanoseconds)))
                answers.append(localizer.answer_to(localizer.send(index)).data.tobytes())
            rounds.append(answers)
        assert rounds[0] == rounds[1] == rounds[2]
        localizer.wait_for_value('input', lambda values: values['time_jumps'] == '2')


def test_a_params_file_with_python_tags_runs_nothing(processes: Processes, tmp_path: Path) -> None:
    marker, path = tmp_path / 'marker', tmp_path / 'localize.yaml'
    tag = f'!!python/object/apply:os.system ["touch {marker}"]'
    path.write_text(f'/**:\n  ros__parameters:\n    index_path: {tag}\n')
    running = processes.start('node.localize_node', '--ros-args', '--params-file', str(path))
    assert running.end() == 1
    assert 'parameter index_path is' in running.text()
    assert not marker.exists()


def test_large_clouds_at_100_hz_are_answered_or_counted_and_not_kept(
    ros_domain: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_small_encoder(tmp_path / 'student.onnx', '4d')
    arguments = ['--minutes', '0.1', '--student', str(model), '--output', str(tmp_path / 'soak')]
    # A second of clouds waiting for their turn would take it; a loaded machine does not.
    assert soak.main([*arguments, '--max-latency', '5000', '--max-growth', '1e9']) == 0
    figures = json.loads((tmp_path / 'soak' / 'soak.json').read_text())
    assert figures['answered'] > 10
    assert figures['received'] - figures['answered'] - figures['replaced'] in (0, 1)
    # Each cloud has 290 kB: were they kept, memory would grow by more than a hundred MiB.
    assert figures['growth_mib'] < 0.1 * figures['received'] * 0.29
    assert (tmp_path / 'soak' / 'soak.png').stat().st_size > 10_000
    assert 'latency' in capsys.readouterr().out


# The last test: whoever is killed says nobody good-bye, and seems to be there for a while.
def test_a_node_killed_while_it_saves_its_session_leaves_a_whole_one(
    peer: Peer, processes: Processes, tmp_path: Path
) -> None:
    path = tmp_path / 'session.ssd'
    running = processes.start_localizer(
        index_path="''",
        model_path=write_small_encoder(tmp_path / 'student.onnx', '4d'),
        online_index=True,
        session_directory=tmp_path,
        session_path=path.name,
        stamp_source='header',
        diagnostics_rate=10.0,
        aggregation__min_points=5,
    )
    localizer = Localizer(peer, running, None, path)
    for index in range(3):
        localizer.answer_to(localizer.send(index, 10.0 * index))
    assert peer.call(Trigger, f'{NODE}/save_session').success
    client = peer.node.create_client(Trigger, f'{NODE}/save_session')
    peer.wait(client.service_is_ready, 'the service')
    client.call_async(Trigger.Request())
    time.sleep(0.004)  # any moment will do
    assert running.end(signal.SIGKILL) == -signal.SIGKILL
    assert len(PlaceDatabase.load(path)) == 3
