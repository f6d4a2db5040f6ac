# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the encoder without a network: what its file may say, and what it makes of images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.bev.polar_bev import views_of_panorama
from ssd_ros.encoders.place_encoder import open_encoder
from ssd_ros.encoders.scan_context import scan_context
from ssd_ros.encoders.scan_context_encoder import ScanContextEncoder
from ssd_ros.maps.place_index import new_index
from ssd_ros.shared_files import ENCODERS, shared_file

SHIPPED = shared_file('models/scan_context.json')


def panorama(seed: int = 0) -> NDArray[np.uint8]:
    generator = np.random.default_rng(seed)
    echoes = generator.random((384, 576)) < 0.01
    return np.where(echoes, generator.integers(124, 256, echoes.shape), 0).astype(np.uint8)


def changed(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Write the shipped file with a change."""
    values = json.loads(SHIPPED.read_text())
    change(values)
    path = tmp_path / 'mine.json'
    path.write_text(json.dumps(values))
    return path


def test_a_descriptor_is_the_context_of_unit_length() -> None:
    encoder = ScanContextEncoder(SHIPPED, 'spinning')
    image = panorama()
    (descriptor,) = encoder.encode_panorama(image)
    context = scan_context(image, encoder.contract.preprocessing.grid, encoder.scan_context)
    assert descriptor.shape == (4800,)
    assert np.linalg.norm(descriptor) == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(descriptor * np.linalg.norm(context), context.ravel(), rtol=1e-5)


def test_views_in_a_batch_are_encoded_as_one_by_one() -> None:
    encoder = ScanContextEncoder(SHIPPED)
    views = views_of_panorama(panorama(), encoder.contract.preprocessing.grid, 4)
    batch = encoder.encode_batch(views)
    assert batch.shape == (4, 4800)
    np.testing.assert_array_equal(batch[2], encoder.encode(views[2]))
    assert encoder.encode_batch(views[:0]).shape == (0, 4800)


def test_an_empty_image_resembles_nothing_not_even_itself() -> None:
    encoder = ScanContextEncoder(SHIPPED)
    empty = encoder.encode(np.zeros((384, 192), np.uint8))
    assert np.linalg.norm(empty) == pytest.approx(1, abs=1e-6)
    index = new_index(encoder.scan_context, 4800)
    index.add(np.stack([empty, encoder.encode_panorama(panorama())[0]]))
    np.testing.assert_allclose(index.search(empty, 2).distances, np.sqrt(2), rtol=1e-6)


def test_the_digest_is_of_the_file_and_the_space_of_its_meaning(tmp_path: Path) -> None:
    shipped = ScanContextEncoder(SHIPPED)
    assert shipped.digest == hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    limits = ScanContextEncoder(
        changed(tmp_path, lambda values: values.update(accept_max_ratio=0.5))
    )
    assert limits.digest != shipped.digest
    assert limits.contract.accept_max_ratio == 0.5
    assert limits.contract.descriptor_space == shipped.contract.descriptor_space
    for part, name, value in (
        ('scan_context', 'min_overlap', 0.6),
        ('scan_context', 'num_sectors', 60),
        ('preprocessing', 'num_scans', 3),
    ):
        path = changed(tmp_path, lambda values: values[part].update({name: value}))  # noqa: B023
        other = ScanContextEncoder(path)
        assert other.contract.descriptor_space != shipped.contract.descriptor_space
    assert ScanContextEncoder(path).contract.preprocessing.num_scans == 3


def test_the_shipped_file_sees_the_scans_and_the_region_of_the_shipped_network() -> None:
    network = open_encoder(shared_file(ENCODERS['network'].student), 'cpu')
    fallback = open_encoder(shared_file(ENCODERS['scan_context'].student), 'cpu')
    assert (network.kind, fallback.kind) == ('network', 'scan_context')
    seen, seen_by_network = fallback.contract.preprocessing, network.contract.preprocessing
    assert not seen.is_by_content
    # Its calibration is of pixels by fixed thresholds.
    assert seen == replace(seen_by_network, cloud=seen.cloud, scan=seen.scan)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda v: v.update(ring=3), 'unknown option ring'),
        (lambda v: v['scan_context'].update(rings=3), r'unknown option scan_context\.rings'),
        (lambda v: v['scan_context'].pop('num_rings'), r'scan_context\.num_rings is missing'),
        (lambda v: v['preprocessing']['scan'].pop('threshold'), r'scan\.threshold is missing'),
        (lambda v: v['scan_context'].update(min_overlap=2), 'min_overlap is 2.0, expected 0 .. 1'),
        (lambda v: v['scan_context'].update(num_rings='40'), "num_rings is '40', expected int"),
        (lambda v: v['scan_context'].update(num_rings=400), 'descriptor_size is 48000'),
        (lambda v: v.update(accept_max_distance=0), 'accept_max_distance is 0.0'),
        (lambda v: v.update(format_version=2), 'format_version is 2, this ssd_ros reads 1'),
    ],
)
def test_a_file_that_says_something_impossible_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    with pytest.raises(ValueError, match=rf'mine\.json: .*{message}'):
        ScanContextEncoder(changed(tmp_path, change))


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'{"format', 'not JSON'),
        (b'[' * 50_000, 'not JSON'),
        (b'\xff\xfe\xfa', 'not JSON'),
        (b'[]', 'expected a mapping'),
        (b' ' * 65_537, '65537 bytes, too many'),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / 'damaged.json'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        open_encoder(path)


def test_images_of_another_shape_and_other_devices_are_refused() -> None:
    with pytest.raises(ValueError, match=r'shape \(384, 576\), expected \(384, 192\)'):
        ScanContextEncoder(SHIPPED).encode(panorama())
    with pytest.raises(ValueError, match='device is cuda, but scan contexts'):
        open_encoder(SHIPPED, 'cuda')
