# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The plain peer of the exported models: the same network in eager PyTorch on one thread.

`python -m ssd_ros.training.bench_peer 384 192 1 36` prints a JSON list of the milliseconds of
every run for each batch size. The command `bench` starts it as its own process, because only
training may import torch.
"""

from __future__ import annotations

from collections.abc import Sequence
import json
import sys
import time

from ssd_ros.training.config import NETWORKS
from ssd_ros.training.networks import TeacherStudent
import torch

_SECONDS_EACH = 1.5
_MIN_RUNS = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Time the edge network on images of the given size, in batches of the given sizes."""
    num_ranges, num_azimuths, *batch_sizes = map(int, sys.argv[1:] if argv is None else argv)
    torch.set_num_threads(1)
    encoder = TeacherStudent(NETWORKS['edge'], seed=0).encoder('4d').eval()
    results = []
    with torch.inference_mode():
        for batch_size in batch_sizes:
            images = torch.randint(256, (batch_size, 1, num_ranges, num_azimuths)).byte()
            encoder(images)
            times_ms: list[float] = []
            while len(times_ms) < _MIN_RUNS or sum(times_ms) < _SECONDS_EACH * 1e3:
                start = time.perf_counter()
                encoder(images)
                times_ms.append((time.perf_counter() - start) * 1e3)
            results.append(times_ms)
    print(json.dumps(results))
    return 0


if __name__ == '__main__':
    sys.exit(main())
