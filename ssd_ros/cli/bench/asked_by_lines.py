# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Whole queries of one build, measured when its caller asks: what `bench --against` runs in each.

    python -c "$(cat asked_by_lines.py)" ROWS STUDENT

in the sources of the build, which may be older than this file: it imports what both have. Each
line on standard input asks for that many queries; the answer is a line of JSON, stage to the
milliseconds of processor time of each query. Every query is of another cloud, in a map of random
rows.
"""

from __future__ import annotations

import json
import sys
import time
from types import SimpleNamespace
from typing import Any

# The recogniser's own clock: processor time tells the same beside whatever else runs.
time.perf_counter = time.process_time

import numpy as np  # noqa: E402
from ssd_ros.cli.bench.inputs import NUM_POINTS, random_database  # noqa: E402
from ssd_ros.encoders.network import OnnxEncoder  # noqa: E402
from ssd_ros.radar.point_cloud2 import decode_point_cloud2, encode_point_cloud2  # noqa: E402
from ssd_ros.radar.types import RadarPointCloud  # noqa: E402
from ssd_ros.recognition.place_recognizer import PlaceRecognizer  # noqa: E402

_PERIOD_NS = 50_000_000
_SPEED_MPS = 10.0


def message(number: int) -> Any:
    """Return the scan of a number, at 10 m/s, as a PointCloud2 without ROS."""
    generator = np.random.default_rng(number)
    range_m = generator.uniform(2, 149, NUM_POINTS)
    azimuth_rad = np.radians(generator.uniform(-59, 59, NUM_POINTS))
    xyz_m = np.zeros((NUM_POINTS, 3), np.float32)
    xyz_m[:, 0], xyz_m[:, 1] = range_m * np.cos(azimuth_rad), range_m * np.sin(azimuth_rad)
    rcs_dbsm = generator.normal(0, 8, NUM_POINTS).astype(np.float32)
    speed_mps = (-_SPEED_MPS * np.cos(azimuth_rad)).astype(np.float32)
    attributes = encode_point_cloud2(RadarPointCloud(0, xyz_m, rcs_dbsm, speed_mps))
    sec, nanosec = divmod(number * _PERIOD_NS, 10**9)
    stamp = SimpleNamespace(sec=sec, nanosec=nanosec)
    return SimpleNamespace(header=SimpleNamespace(stamp=stamp, frame_id='radar'), **attributes)


def use_compiled() -> None:
    """Do what the node of this build does before its first query."""
    try:
        from ssd_ros.recognition.compiled_parts import use_compiled as use
    except ImportError:
        return  # it compiles nothing
    use()


def times_ms(recognizer: PlaceRecognizer, msg: Any) -> dict[str, float]:
    """Ask once; return what each stage took, and all of them."""
    start = time.process_time()
    cloud = decode_point_cloud2(msg).cloud
    decoded = time.process_time()
    stages = recognizer.process(cloud).timings_ms._asdict()
    whole_ms = (time.process_time() - start) * 1e3
    decode_ms = (decoded - start) * 1e3
    rest_ms = whole_ms - decode_ms - sum(stages.values())
    return {'decode': decode_ms, **stages, 'all else': rest_ms, 'whole query': whole_ms}


def main() -> None:
    """Open a map and answer until standard input ends."""
    use_compiled()
    student = OnnxEncoder(sys.argv[2], expected_sensor='4d')  # on what the node takes
    recognizer = PlaceRecognizer(student, [random_database(int(sys.argv[1]), student)])
    number = 0
    for line in sys.stdin:
        asked = [message(each) for each in range(number, number + int(line))]
        number += int(line)
        taken = [times_ms(recognizer, msg) for msg in asked]
        print(json.dumps({name: [each[name] for each in taken] for name in taken[0]}), flush=True)


if __name__ == '__main__':
    main()
