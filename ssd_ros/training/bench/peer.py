# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The plain peer of the exported models: the same network in eager PyTorch on one thread.

`python -m ssd_ros.training.bench.peer 384 192` prints a JSON list of the milliseconds of every
run. The command `bench` starts it as its own process, because only training may import torch.
"""

from __future__ import annotations

from collections.abc import Sequence
import json
import sys
import time

from ssd_ros.training.network_config import NETWORKS
from ssd_ros.training.networks.backbone import merged
from ssd_ros.training.networks.encoders import TeacherStudent
import torch

_SECONDS = 1.5
_MIN_RUNS = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Time the shipped network, branches merged, on one image of the given size."""
    num_ranges, num_azimuths = map(int, sys.argv[1:] if argv is None else argv)
    torch.set_num_threads(1)
    encoder = merged(TeacherStudent(NETWORKS['fast'], seed=0).encoder('4d'))
    image = torch.randint(256, (1, 1, num_ranges, num_azimuths)).byte()
    times_ms: list[float] = []
    with torch.inference_mode():
        encoder(image)
        while len(times_ms) < _MIN_RUNS or sum(times_ms) < _SECONDS * 1e3:
            start = time.perf_counter()
            encoder(image)
            times_ms.append((time.perf_counter() - start) * 1e3)
    print(json.dumps(times_ms))
    return 0


if __name__ == '__main__':
    sys.exit(main())
