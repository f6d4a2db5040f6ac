# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Is it worth it to encode a panorama at once? The same weights both ways: time and recall.

Encoded by itself, a view ends in zeros at its edges; cut out of the panorama's feature map, its
edges know what lies beyond them.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
import sys
import time

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.common.console import at_least, make_parser, run_command
from ssd_ros.evaluation.bev_cache import CachedDrive, load_drives
from ssd_ros.evaluation.judging.encoders import evaluate, mean_recall
from ssd_ros.evaluation.queries.descriptors import EncodePanorama, Encoders, per_view
from ssd_ros.evaluation.queries.protocol import Protocol
from ssd_ros.training.export.models import contracts_of, load_networks
from ssd_ros.training.export.onnx_export import loaded, onnx_model
from ssd_ros.training.export.panorama_graph import panorama_graph
from ssd_ros.training.runs.folder import Run
import torch

EXAMPLES = """\
  python -m ssd_ros.training.export.compare_encoding --run runs/edge --cache runs/cache
"""
_NUM_TIMED = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one way of encoding costs and gives; recall is R@1, None without such drives."""

    seconds_per_scan: float
    single_session: float | None
    multi_session: float | None


def compare(run: Run, drives: Sequence[CachedDrive], protocol: Protocol) -> dict[str, Outcome]:
    """
    Encode the maps of all places both ways and query them.

    :param drives: of the validation worlds
    :raise ValueError: the run has no checkpoint
    """
    networks, _ = load_networks(run)
    contracts = contracts_of(run.config, run.origin, networks)
    student = loaded(onnx_model(networks.encoder('4d'), contracts['4d']))
    # The contract of one view, whatever the sensor.
    of_view = loaded(onnx_model(networks.encoder('spinning'), contracts['4d']))
    of_panorama = loaded(
        onnx_model(panorama_graph(networks.panorama_encoder()), contracts['spinning'])
    )
    grid = run.config.preprocessing.grid
    ways: dict[str, EncodePanorama] = {
        'each view by itself': per_view(of_view.encode_batch, grid, run.config.network.num_views),
        'the panorama at once': of_panorama.encode_panorama,
    }
    seconds = _seconds(ways, drives[0].panoramas[:_NUM_TIMED])
    outcomes = {}
    for name, encode in ways.items():
        results = evaluate(drives, Encoders(student.encode_batch, encode), protocol)
        recalls = (mean_recall(results, task) for task in ('single', 'multi'))
        outcomes[name] = Outcome(seconds[name], *recalls)
    return outcomes


def _seconds(ways: Mapping[str, EncodePanorama], panoramas: NDArray[np.uint8]) -> dict[str, float]:
    """Return the median time of a panorama for each way, taken by turns."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for panorama in panoramas:
        for name, encode in ways.items():
            start = time.perf_counter()
            encode(panorama)
            times[name].append(time.perf_counter() - start)
    return {name: float(np.median(taken)) for name, taken in times.items()}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'compare_encoding',
        'Encode the maps of the validation worlds view by view and panorama by panorama with the '
        'same weights; print the seconds per scan and the recall of both.',
        EXAMPLES,
    )
    add = result.add_argument
    add('--run', type=Path, required=True, help='run folder of training')
    add('--cache', type=Path, required=True, help='holds validation/')
    add('--threads', type=at_least(int, 1), default=1, help='(%(default)s)')
    return result


def print_comparison(arguments: argparse.Namespace) -> None:
    """Compare and print one line for each way, and by how much the second is faster."""
    torch.set_num_threads(arguments.threads)
    run = Run(arguments.run)
    drives = load_drives(arguments.cache / 'validation', run.config.preprocessing)
    protocol = Protocol(num_views=run.config.network.num_views)
    outcomes = compare(run, drives, protocol)
    print(f'{"encoded":<22} {"s per scan":>10} {"R@1 single":>11} {"R@1 multi":>10}')
    for name, outcome in outcomes.items():
        recalls = [
            '-' if recall is None else f'{recall:.4f}'
            for recall in (outcome.single_session, outcome.multi_session)
        ]
        print(f'{name:<22} {outcome.seconds_per_scan:>10.4f} {recalls[0]:>11} {recalls[1]:>10}')
    slow, fast = (outcome.seconds_per_scan for outcome in outcomes.values())
    print(f'{slow / fast:.1f} times faster at once, on {arguments.threads} thread(s)')


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), print_comparison, argv)


if __name__ == '__main__':
    sys.exit(main())
