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
from sensor_msgs.msg import PointCloud2
from ssd_ros.cli.soak import command as soak
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.recognition import candidates
from std_srvs.srv import Trigger
from support.localizer import DRIVE, Localizer, NODE, odometry_msg, running_localizer
from support.posts import write_small_encoder
from support.ros import Peer, points_msg, Processes


def test_simulated_time_that_stands_still_stops_neither_answers_nor_health(
    peer: Peer, tmp_path: Path
) -> None:
    with running_localizer(peer, tmp_path, use_sim_time=True) as localizer:
        for index in (6, 7):
            rows = candidates.from_msg(localizer.answer_to(localizer.send(index)))
            assert rows[0]['keyframe_id'] == index
        assert int(localizer.values('matching')['queries']) == 2
        assert localizer.status('input').level == b'\x00'


def ageless(answer: PointCloud2) -> bytes:
    """Return the rows of an answer but for how long it took."""
    rows = candidates.from_msg(answer).copy()
    rows['age'] = 0
    return bytes(rows.tobytes())


def test_a_bag_that_loops_is_answered_alike_in_every_round(peer: Peer, tmp_path: Path) -> None:
    with running_localizer(peer, tmp_path, use_sim_time=True) as localizer:
        clock, start_ns = peer.speak(Clock, '/clock'), localizer.clock_ns
        rounds = []
        for _ in range(3):
            localizer.clock_ns = start_ns
            localizer.candidates.clear()
            stamps_ns = []
            for index in (2, 3, 4, 5, 6):
                seconds, nanoseconds = divmod(localizer.clock_ns + 2_000_000_000, 10**9)
                clock.publish(Clock(clock=Time(sec=seconds, nanosec=nanoseconds)))
                stamps_ns.append(localizer.send(index))
                if index > 3:  # it takes three scans to tell that time began again
                    localizer.answer_to(stamps_ns[-1])
            rounds.append([ageless(localizer.answer_to(stamp_ns)) for stamp_ns in stamps_ns[2:]])
        assert rounds[0] == rounds[1] == rounds[2]
        localizer.wait_for_value('input', lambda values: values['time_jumps'] == '2')


@pytest.mark.parametrize('source', ['header', 'auto'])
def test_odd_stamps_leave_the_running_drive_and_its_odometry_whole(
    peer: Peer, tmp_path: Path, source: str
) -> None:
    # Odometry is waited for, and the next cloud must come within a second.
    often = {'diagnostics_rate': 20.0}
    with running_localizer(
        peer, tmp_path, index_path="''", online_index=True, stamp_source=source, **often
    ) as localizer:
        if source == 'auto':  # at home in the present
            localizer.clock_ns = time.time_ns() - 1_500_000_000
        odd_s = {10: 1.5, 15: -1.3, 20: 3600.0, 25: -3600.0, 30: -1e8}
        swapped = 35, 40  # one message of odometry 50 ms late
        for number in range(60):
            localizer.clock_ns += 100_000_000
            now_ns, x_m = localizer.clock_ns, 1.5 * number
            if source == 'auto':  # as fast as it is
                time.sleep(max(now_ns - time.time_ns(), 0) / 1e9)
            first = odometry_msg(x_m - 0.75, now_ns - 50_000_000)
            second = odometry_msg(x_m, now_ns)
            localizer.send_odometry(*(second, first) if number in swapped else (first, second))
            shift_ns = round(odd_s.get(number, 0.0) * 1e9)
            stamp_ns = max(now_ns + shift_ns, 0)
            localizer.publisher.publish(points_msg(DRIVE.cloud(number // 7), stamp_ns))
        localizer.wait_for_value('input', lambda values: values['messages'] == '60')
        values = localizer.values('input')
        assert int(values['refused_late']) == 3
        assert int(values['refused_ahead']) == 2
        assert (values['time_jumps'], values['odometry_misses']) == ('0', '0')
        assert (values['odometry_late'], values['odometry_restarts']) == ('2', '0')
        assert values['stamp_source'] == 'header'
        # 88 m at 2 m or more, none of it forgotten.
        localizer.wait_for_value('matching', lambda values: int(values['live_keyframes']) > 20)


def test_radar_and_odometry_on_atomic_time_are_remembered_and_the_offset_is_named(
    peer: Peer, tmp_path: Path
) -> None:
    with running_localizer(
        peer,
        tmp_path,
        index_path="''",
        online_index=True,
        stamp_source='auto',
        keyframe_distance=0.2,
    ) as localizer:
        for number in range(30):  # however fast they are sent, no step is a jump
            localizer.clock_ns = time.time_ns() + 37_000_000_000
            localizer.send_odometry(odometry_msg(0.4 * number, localizer.clock_ns))
            localizer.publisher.publish(points_msg(DRIVE.cloud(number), localizer.clock_ns))
        localizer.wait_for_value('matching', lambda values: int(values['live_keyframes']) > 10)
        localizer.running.wait_for_text('set stamp_offset to -37')
        status = localizer.status('input')
        assert (status.level, status.message[:32]) == (b'\x01', 'stamps of radars and odometry ar')


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
    # Were all 600 clouds kept, memory would grow by 170 MiB more than by what is compiled after
    # the start, 60 MiB.
    assert figures['growth_mib'] < 150
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
