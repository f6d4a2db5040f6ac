# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check parts, sizes and ends of the encoders of density images."""

from dataclasses import replace

import pytest
from ssd_ros.training.network_config import DensityNetworkConfig
from ssd_ros.training.networks.density_encoders import (
    DensityEncoder,
    descriptor_size,
    ImageEncoder,
    load_resnet18,
    num_parameters,
)
from ssd_ros.training.networks.enhancement import EnhancementNet
import torch

FULL = DensityNetworkConfig()
TINY = DensityNetworkConfig(width=8)


def encoder(config: DensityNetworkConfig, task: str = 'r2r') -> DensityEncoder:
    torch.manual_seed(0)
    return DensityEncoder(config.of_task(task)).eval()


@pytest.mark.parametrize(
    ('task', 'expected'), [('l2l', 2_782_814), ('r2l', 3_265_263), ('r2r', 3_855_471)]
)
def test_the_networks_are_as_large_as_the_papers(task: str, expected: int) -> None:
    assert num_parameters(encoder(FULL, task)) == expected


def test_the_network_that_redraws_has_482449_parameters() -> None:
    assert num_parameters(EnhancementNet()) == 482_449


def test_a_descriptor_has_9216_numbers_channels_slowest() -> None:
    with torch.inference_mode():
        seen = encoder(FULL, 'l2l')(torch.rand(1, 1, 200, 200))
    assert seen.features.shape == (1, 256, 6, 6)
    assert seen.descriptors.shape == (1, 9216)
    assert descriptor_size(FULL, 200) == 9216
    flat = seen.features.flatten()
    torch.testing.assert_close(seen.descriptors[0], flat / flat.norm())


@pytest.mark.parametrize('num_cells', [48, 60, 100])
def test_the_length_of_a_descriptor_is_known_beforehand(num_cells: int) -> None:
    with torch.inference_mode():
        seen = encoder(TINY)(torch.rand(2, 1, num_cells, num_cells))
    assert seen.images.shape == (2, 1, num_cells, num_cells)
    assert seen.descriptors.shape == (2, descriptor_size(TINY, num_cells))
    torch.testing.assert_close(seen.descriptors.norm(dim=1), torch.ones(2))


def test_a_student_of_its_own_kind_adds_what_it_imitates() -> None:
    images = torch.rand(2, 1, 64, 64)
    with torch.inference_mode():
        dual = encoder(TINY)(images)
        single = encoder(replace(TINY, branch='single'))(images)
    assert dual.imitated is not None
    told = torch.sigmoid(dual.imitated)
    both = (dual.features + told).flatten(1)
    torch.testing.assert_close(dual.descriptors, both / both.norm(dim=1, keepdim=True))
    alone = told.flatten(1)
    torch.testing.assert_close(single.descriptors, alone / alone.norm(dim=1, keepdim=True))


def test_a_student_in_lidar_maps_and_a_teacher_add_nothing() -> None:
    images = torch.rand(2, 1, 64, 64)
    with torch.inference_mode():
        teacher, student = (encoder(TINY, task)(images) for task in ('l2l', 'r2l'))
    assert teacher.imitated is None
    assert student.imitated is None
    assert teacher.images is images
    assert 0 < student.images.min() < student.images.max() < 1


def test_what_is_drawn_in_the_residual_form_is_added_to_the_image() -> None:
    net = EnhancementNet(4, is_residual=True).eval()
    torch.nn.init.zeros_(net.out.weight)
    assert net.out.bias is not None
    torch.nn.init.constant_(net.out.bias, 0.25)
    images = torch.tensor([0.0, 0.5, 0.9]).reshape(3, 1, 1, 1).expand(3, 1, 16, 16)
    with torch.inference_mode():
        drawn = net(images)[:, 0, 0, 0]
    assert drawn.tolist() == pytest.approx([0.25, 0.75, 1.0], abs=1e-6)


def test_shorter_descriptors_are_the_long_ones_laid_along_a_basis() -> None:
    network = encoder(TINY, 'r2l')
    basis = torch.linalg.qr(torch.randn(descriptor_size(TINY, 64), 5)).Q
    images = torch.randint(256, (3, 1, 64, 64)).byte()
    with torch.inference_mode():
        whole, part = ImageEncoder(network)(images), ImageEncoder(network, basis)(images)
    laid = whole @ basis
    torch.testing.assert_close(part, laid / laid.norm(dim=1, keepdim=True))


def resnet18_weights(encoder: DensityEncoder) -> dict[str, torch.Tensor]:
    """Return the weights of a trunk plus one, under the names of torchvision."""
    parts = {'convolutions.0': 'conv1', 'convolutions.1': 'bn1', 'convolutions.3': 'conv2'}
    parts |= {'convolutions.4': 'bn2', 'shortcut.0': 'downsample.0', 'shortcut.1': 'downsample.1'}
    weights = {'fc.weight': torch.zeros(1000, 512), 'layer4.0.conv1.weight': torch.zeros(1)}
    for name, tensor in encoder.trunk.state_dict().items():
        number, _, rest = name.partition('.')
        if number in ('2', '3'):
            weights[f'{"conv1" if number == "2" else "bn1"}.{rest}'] = tensor + 1
        elif number != '0':
            stage, block = divmod(int(number) - 6, 2)
            part, _, last = rest.rpartition('.')
            weights[f'layer{stage + 1}.{block}.{parts[part]}.{last}'] = tensor + 1
    return weights


def test_the_trunk_can_start_from_a_resnet18() -> None:
    network = encoder(TINY)
    before = {name: tensor.clone() for name, tensor in network.trunk.state_dict().items()}
    load_resnet18(network, resnet18_weights(network))
    for name, tensor in network.trunk.state_dict().items():
        moved = 0 if name.startswith('0.') else 1
        torch.testing.assert_close(tensor, before[name] + moved)


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(ValueError, match=r'no ResNet-18 of this width: 2\.weight should have'):
        load_resnet18(encoder(FULL), resnet18_weights(encoder(TINY)))


@pytest.mark.parametrize(
    ('option', 'message'),
    [
        ({'width': 6}, 'width is 6, expected a multiple of 4'),
        ({'branch': 'triple'}, "branch is 'triple'; choose from dual, single"),
        ({'imitates': ('l2l',)}, "imitates has 'l2l'; choose from r2r, r2l"),
    ],
)
def test_impossible_sizes_are_named(option: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DensityNetworkConfig(**option)  # type: ignore[arg-type]
