# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Spoil each value of each file that others may write, and see what its reader says.

A number that no artefact can mean is refused by name; whatever else stands there, a reader raises
its own errors and no others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
import json
import math
from pathlib import Path
import shutil
from typing import Any, NamedTuple

import numpy as np
import pytest
from ssd_ros.confidence.file import load_confidence
from ssd_ros.encoders.model_contract import ModelContract
from ssd_ros.encoders.scan_context_encoder import ScanContextEncoder
from ssd_ros.evaluation.bev_cache import cache_drive, is_cached, load_drive, Spacing
from ssd_ros.evaluation.queries.protocol import Protocol
from ssd_ros.evaluation.queries.records import QueryRecords
from ssd_ros.evaluation.scores.results import (
    Evaluation,
    read_evaluation,
    Result,
    write_evaluation,
)
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.files import read_map
from ssd_ros.shared_files import shared_file
from ssd_ros.simulator.recordings.benchmark import load_benchmark
from ssd_ros.training.config import load_config, TrainingConfig
from ssd_ros.training.runs.folder import Run
from support.drives.tiny import StraightDrive, TINY_PREPROCESSING
from support.posts import small_contract, small_encoder, straight_drive, write_sealed_meta
import yaml

Place = tuple[str | int, ...]

ABSURD: list[Any] = [1e308, -1e308, 10**30, math.inf, -math.inf, math.nan]
ODD: list[Any] = [
    *ABSURD,
    *(0, -1, 2**31, 2**63, 1e-320, True, None, '', 'a\nb', '\x00', '\ud800', 'a' * 100_000),
    *([], {}, [[]], {'a': {}}, [1] * 1000, [math.nan]),
]


class Artefact(NamedTuple):
    """A file, what stands in it, how to put a changed content there, and its reader."""

    content: dict[str, Any]
    write: Callable[[dict[str, Any]], object]
    read: Callable[[], object]


def places_in(value: Any, where: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield where every value stands that is no mapping or list, and that value."""
    if isinstance(value, dict | list) and value:
        entries = value.items() if isinstance(value, dict) else enumerate(value[:2])
        for name, item in entries:
            yield from places_in(item, (*where, name))
    else:
        yield where, value


def with_value(content: Any, where: Place, value: Any) -> Any:
    if not where:
        return value
    changed = content.copy()
    changed[where[0]] = with_value(content[where[0]], where[1:], value)
    return changed


def json_file(path: Path, read: Callable[[], object]) -> Artefact:
    return Artefact(
        json.loads(path.read_text()), lambda content: path.write_text(json.dumps(content)), read
    )


def yaml_file(path: Path, content: Any, read: Callable[[], object]) -> Artefact:
    return Artefact(content, lambda changed: path.write_text(yaml.safe_dump(changed)), read)


def contract(directory: Path) -> Artefact:
    path = directory / 'contract.json'
    path.write_text(small_contract('4d').to_json())
    return json_file(path, lambda: ModelContract.from_json(path.read_text()))


def calibration(directory: Path) -> Artefact:
    content = json.loads(shared_file('models/confidence.json').read_text())
    for model in content['models'].values():
        del model['radars']['drives'][3:]  # all alike
    path = directory / 'confidence.json'
    path.write_text(json.dumps(content))
    space = content['descriptor_space']
    return json_file(path, lambda: load_confidence(path, space, 'spinning'))


def scan_context(directory: Path) -> Artefact:
    path = Path(shutil.copy(shared_file('models/scan_context.json'), directory))
    return json_file(path, lambda: ScanContextEncoder(path))


def meta_of_a_map(directory: Path) -> Artefact:
    path = directory / 'map'
    build_database(straight_drive(num=3), small_encoder(directory, 'spinning')).save(path)
    content = json.loads((path / 'meta.json').read_text())
    confidence = json.loads(shared_file('models/confidence.json').read_text())
    content['confidence'] = confidence['models']['spinning']
    return Artefact(
        content, lambda changed: write_sealed_meta(path / 'meta.json', changed),
        lambda: read_map(path),
    )  # fmt: skip


def cached_drive(directory: Path) -> Artefact:
    options, path = TINY_PREPROCESSING, directory / 'drive'
    cache_drive(StraightDrive('Town/01', 4, 0), path, options, Spacing())

    def read() -> None:
        is_cached(path, options, Spacing())
        load_drive(path, options)

    return json_file(path / 'meta.json', read)


def training(directory: Path) -> Artefact:
    path = directory / 'training.yaml'
    content = json.loads(json.dumps(asdict(TrainingConfig())))
    return yaml_file(path, content, lambda: load_config(path))


def benchmark(directory: Path) -> Artefact:
    path = directory / 'benchmark.yaml'
    content = yaml.safe_load(shared_file('config/benchmark.yaml').read_text())
    return yaml_file(path, content, lambda: load_benchmark(path))


def evaluation(directory: Path) -> Artefact:
    path = directory / 'evaluation.json'
    records = QueryRecords(
        **dict.fromkeys(('stamps_ns', 'num_positives', 'ranks', 'keyframes'), np.arange(2)),
        **dict.fromkeys(('nearest_m', 'distances', 'yaw_errors_deg'), np.arange(2.0)),
        **dict.fromkeys(('positions_m', 'answer_positions_m'), np.zeros((2, 2))),
    )
    result = Result('4d', 'ssd', 'Town', '01', '02', 2, 1, 5.0, records)
    write_evaluation(path, Evaluation(Protocol(), 'simulated', [result]))
    return json_file(path, lambda: read_evaluation(path))


def origin_of_a_run(directory: Path) -> Artefact:
    path = directory / 'origin.json'
    path.write_text(json.dumps({'commit': 'a', 'num_places': '3'}))
    return json_file(path, lambda: Run(directory).origin)


ARTEFACTS = [
    contract, calibration, scan_context, meta_of_a_map, cached_drive, training, benchmark,
    evaluation, origin_of_a_run,
]  # fmt: skip


@pytest.mark.parametrize('made', ARTEFACTS, ids=lambda made: made.__name__)
def test_an_odd_value_anywhere_meets_no_error_but_our_own(
    tmp_path: Path, made: Callable[[Path], Artefact]
) -> None:
    artefact = made(tmp_path)
    generator = np.random.default_rng(0)
    artefact.write(artefact.content)
    artefact.read()  # whole, it is accepted
    num_refused = 0
    for where, _ in places_in(artefact.content):
        for value in (ODD[index] for index in generator.choice(len(ODD), 4, replace=False)):
            text = refusal(artefact, with_value(artefact.content, where, value))
            assert len(text) < 5000, where
            num_refused += text != ''
    assert num_refused > 0


def refusal(artefact: Artefact, content: dict[str, Any]) -> str:
    """Return what the reader says, '' if it accepts the content."""
    try:
        artefact.write(content)
        artefact.read()
    except (ValueError, OSError) as error:
        return str(error)
    return ''


@pytest.mark.parametrize('made', [contract, calibration, scan_context, meta_of_a_map])
def test_an_absurd_number_is_refused_by_name(
    tmp_path: Path, made: Callable[[Path], Artefact]
) -> None:
    artefact = made(tmp_path)
    numbers = [
        where
        for where, old in places_in(artefact.content)
        if type(old) in (int, float) and '4d' not in where and where != ('format_version',)
    ]
    assert len(numbers) > 5
    for where in numbers:
        name = [part for part in where if isinstance(part, str)][-1]
        for value in ABSURD:
            text = refusal(artefact, with_value(artefact.content, where, value))
            # The checksum of a map, and its arrays, know no such numbers.
            assert name in text or 'JSON' in text or 'not list' in text or 'says' in text, where
