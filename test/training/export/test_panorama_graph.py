# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that the exported arrangement of the panorama's encoder is the trained encoder."""

from dataclasses import replace

import pytest
from ssd_ros.training.export.panorama_graph import PanoramaGraph
from ssd_ros.training.network_config import HolmesLevelConfig, NetworkConfig
from ssd_ros.training.networks.encoders import PanoramaEncoder, TeacherStudent
import torch

TINY = NetworkConfig(
    channels=(4, 8, 8),
    num_blocks=(1, 1, 1),
    strides=(1, 2, 1),
    hidden_size=8,
    teacher_margin=8,
    num_views=12,
    mid=HolmesLevelConfig(6, 4, 4, 8),
    high=HolmesLevelConfig(3, 4, 4, 4),
)


def panorama_encoder(config: NetworkConfig) -> PanoramaEncoder:
    """Return an encoder whose position encoding is nowhere zero."""
    networks = TeacherStudent(config, seed=0).eval()
    generator = torch.Generator().manual_seed(0)
    for name, parameter in networks.pooling.named_parameters():
        if 'position' in name:
            parameter.data.normal_(0, 0.5, generator=generator)
    encoder = networks.panorama_encoder()
    assert isinstance(encoder, PanoramaEncoder)
    return encoder.eval()


@pytest.mark.parametrize(
    'config',
    [TINY, replace(TINY, two_levels=True), replace(TINY, position_octaves=0)],
    ids=['one level', 'two levels', 'no position encoding'],
)
def test_every_view_gets_the_descriptor_of_the_trained_encoder(config: NetworkConfig) -> None:
    encoder = panorama_encoder(config)
    generator = torch.Generator().manual_seed(1)
    panoramas = torch.randint(256, (2, 1, 64, 96), generator=generator).byte()
    with torch.inference_mode():
        expected = encoder(panoramas)
        given = PanoramaGraph(encoder)(panoramas)
    assert expected.shape == (2, 12, config.descriptor_size)
    torch.testing.assert_close(given, expected, atol=2e-6, rtol=0)
    assert (expected[:, 0] - expected[:, 6]).norm(dim=1).min() > 0.01


def test_an_empty_panorama_has_finite_descriptors() -> None:
    with torch.inference_mode():
        descriptors = PanoramaGraph(panorama_encoder(TINY))(
            torch.zeros(1, 1, 64, 96, dtype=torch.uint8)
        )
    torch.testing.assert_close(descriptors.norm(dim=2), torch.ones(1, 12))
