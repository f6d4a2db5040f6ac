# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Give the localizer more than it can do, with a model that takes its time."""

from __future__ import annotations

from pathlib import Path
import signal
import time

from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
import onnx
from onnx import helper, numpy_helper
from sensor_msgs.msg import PointCloud2
from ssd_ros.maps.builder import build_database
from support.posts import small_encoder, START_NS, straight_drive, write_small_encoder
from support.ros import Peer, points_msg, Processes

DRIVE = straight_drive(num=4)
NODE = '/ssd_localizer'
NUM_SCANS = 100
PERIOD_S = 0.01


def write_slow_encoder(path: Path) -> Path:
    """Write a model that multiplies two 1200 x 1200 matrices per query: 3.5 GFLOP."""
    model = onnx.load(write_small_encoder(path, '4d'))
    graph = model.graph
    graph.node[-1].output[0] = 'fast_descriptor'
    graph.initializer.extend(
        [
            numpy_helper.from_array(np.full((1200, 1200), 1e-3, np.float32), 'matrix'),
            numpy_helper.from_array(np.array(0, np.float32), 'nothing'),
        ]
    )
    graph.node.extend(
        [
            # The batch makes the factor: else the product would be computed once, at loading.
            helper.make_node('ReduceMean', ['fast_descriptor'], ['mean'], keepdims=0),
            helper.make_node('Mul', ['matrix', 'mean'], ['scaled']),
            helper.make_node('MatMul', ['scaled', 'matrix'], ['product_of_matrices']),
            helper.make_node('ReduceMean', ['product_of_matrices'], ['mean_product'], keepdims=0),
            helper.make_node('Mul', ['mean_product', 'nothing'], ['zero_product']),
            helper.make_node('Add', ['fast_descriptor', 'zero_product'], ['descriptor']),
        ]
    )
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def test_scans_faster_than_queries_are_left_out_and_counted_and_the_newest_is_answered_soon(
    peer: Peer, processes: Processes, tmp_path: Path
) -> None:
    build_database(DRIVE, small_encoder(tmp_path, 'spinning')).save(tmp_path / 'map.ssd')
    running = processes.start_localizer(
        index_path=tmp_path / 'map.ssd',
        model_path=write_slow_encoder(tmp_path / 'slow.onnx'),
        stamp_source='header',
        query_rate=100.0,
        diagnostics_rate=10.0,
    )
    answers = peer.listen(PointCloud2, f'{NODE}/candidates', 100)
    diagnostics = peer.listen(DiagnosticArray, '/diagnostics')
    publisher = peer.speak(PointCloud2, '/points')
    running.wait_for_text('map of 4 keyframes')
    peer.wait(lambda: diagnostics and diagnostics[-1].status[0].level != b'\x03', 'activation')

    start = time.monotonic()
    for scan in range(NUM_SCANS):
        peer.wait(lambda due=start + scan * PERIOD_S: time.monotonic() > due, 'the next scan')
        publisher.publish(points_msg(DRIVE.cloud(1), START_NS + scan * 10_000_000))
    last_ns = START_NS + (NUM_SCANS - 1) * 10_000_000

    def values(name: str) -> dict[str, str]:
        statuses = {status.name: status for status in diagnostics[-1].status}
        return {item.key: item.value for item in statuses[f'ssd_localizer: {name}'].values}

    def all_accounted_for() -> bool:
        counts = values('input'), values('inference')
        answered, left_out = int(counts[1]['queries']), int(counts[1]['queue_drops'])
        return int(counts[0]['messages']) == answered + left_out

    def stamps_answered() -> list[int]:
        return [msg.header.stamp.sec * 10**9 + msg.header.stamp.nanosec for msg in answers]

    peer.wait(lambda: last_ns in stamps_answered(), 'the answer to the last scan')
    diagnostics.clear()
    peer.wait(lambda: diagnostics and all_accounted_for(), 'every scan in the counts')
    stamps = stamps_answered()
    query_ms = float(values('inference')['encode_ms'].split()[1])
    total_ms = float(values('inference')['total_ms'].split()[-1])
    assert stamps == sorted(stamps)
    # Some scans at 100 Hz could not be answered, the last one was.
    assert len(stamps) > 1
    assert int(values('inference')['queue_drops']) > 0
    assert stamps[-1] == last_ns
    # Were all scans kept, the last one would have waited for most of the hundred queries.
    assert total_ms < 0.3 * NUM_SCANS * query_ms
    assert running.end(signal.SIGINT) == 0, running.text()
