# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What recipes of training cost, side by side: to train, and to use what they train.

`python -m ssd_ros.training.bench.recipes config/training_fixed.yaml config/training_wide.yaml`
takes turns between them on one thread, with random weights and images, and counts processor time,
so that other processes disturb it little. The ratios are to the first recipe.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
import sys
import time

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.common.console import at_least, make_parser, run_command
from ssd_ros.training.batches.pairs import PlaceSampler
from ssd_ros.training.bench.loading import random_drive
from ssd_ros.training.config import load_config, TrainingConfig
from ssd_ros.training.export.models import contracts_of
from ssd_ros.training.export.onnx_export import loaded, onnx_model
from ssd_ros.training.export.panorama_graph import panorama_graph
from ssd_ros.training.networks.encoders import networks_of
from ssd_ros.training.runs.trainer import Trainer
import torch

EXAMPLES = """\
  python -m ssd_ros.training.bench.recipes config/training_fixed.yaml config/training_wide.yaml
"""
_ORIGIN = dict.fromkeys(('training_data', 'commit', 'created'), 'random weights')


@dataclass(frozen=True, slots=True)
class Cost:
    """
    What one recipe costs on one thread.

    :param student_s: processor time to encode a 4D image
    :param panorama_s: likewise, all views of a spinning scan
    :param places_per_s: drawn and trained on in a second of processor time
    """

    student_s: float
    panorama_s: float
    places_per_s: float


def costs(configs: Mapping[str, TrainingConfig], num_runs: int) -> dict[str, Cost]:
    """
    Measure all recipes by turns; the median of the runs counts.

    :param num_runs: of each encoder; of training as many steps
    """
    encoders = {name: _encoders(config) for name, config in configs.items()}
    grid = next(iter(configs.values())).preprocessing.grid
    drive = random_drive(0, grid)
    image, panorama = drive.student_bevs[0], drive.panoramas[0]
    student_s, panorama_s = (
        _medians({name: partial(one[sensor], shown) for name, one in encoders.items()}, num_runs)
        for sensor, shown in (('4d', image), ('spinning', panorama))
    )
    step_s = _medians({name: _steps(config) for name, config in configs.items()}, num_runs)
    return {
        name: Cost(student_s[name], panorama_s[name], config.batch.num_places / step_s[name])
        for name, config in configs.items()
    }


def _encoders(config: TrainingConfig) -> dict[str, Callable[[NDArray[np.uint8]], object]]:
    """Return how each sensor's images are encoded in use, with random weights."""
    networks = networks_of(config).eval()
    contracts = contracts_of(config, _ORIGIN, networks)
    student = onnx_model(networks.encoder('4d'), contracts['4d'])
    teacher = onnx_model(panorama_graph(networks.panorama_encoder()), contracts['spinning'])
    return {'4d': loaded(student).encode, 'spinning': loaded(teacher).encode_panorama}


def _steps(config: TrainingConfig) -> Callable[[], object]:
    """Return a function that draws a batch and takes a step."""
    drives = [
        random_drive(world, config.preprocessing.grid) for world in range(config.batch.num_worlds)
    ]
    sampler, trainer = PlaceSampler(drives, config), Trainer(config)
    return lambda: trainer.step(sampler.draw(trainer.num_steps), progress=0.5)


def _medians(works: Mapping[str, Callable[[], object]], num_runs: int) -> dict[str, float]:
    """Return the processor time of each, taken by turns, the first turn not counted."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(num_runs + 1):
        for name, work in works.items():
            begin = time.process_time()
            work()
            times[name].append(time.process_time() - begin)
    return {name: float(np.median(taken[1:])) for name, taken in times.items()}


def table(found: Mapping[str, Cost]) -> Iterator[str]:
    """Yield a line for each recipe, with its ratios to the first one in brackets."""
    first = next(iter(found.values()))
    yield f'{"recipe":<34} {"4D image, ms":>16} {"panorama, ms":>16} {"places / CPU s":>16}'
    for name, cost in found.items():
        cells = (
            (1e3 * cost.student_s, cost.student_s / first.student_s),
            (1e3 * cost.panorama_s, cost.panorama_s / first.panorama_s),
            (cost.places_per_s, cost.places_per_s / first.places_per_s),
        )
        yield ' '.join(
            [f'{name:<34}', *(f'{value:>8.2f} ({ratio:>5.2f})' for value, ratio in cells)]
        )
    yield 'median of runs by turns on random images and weights, one thread; (to the first recipe)'


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'recipes',
        'Print what recipes of training cost on one thread, by turns: processor time to encode a '
        '4D image and a spinning scan, and places trained on in a second of processor time.',
        EXAMPLES,
    )
    result.add_argument('recipes', type=Path, nargs='+', help='YAML files of training')
    result.add_argument('--runs', type=at_least(int, 1), default=10, help='(%(default)s)')
    return result


def print_costs(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    configs = {str(path): replace(load_config(path), num_threads=1) for path in arguments.recipes}
    for line in table(costs(configs, arguments.runs)):
        print(line)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), print_costs, argv)


if __name__ == '__main__':
    sys.exit(main())
