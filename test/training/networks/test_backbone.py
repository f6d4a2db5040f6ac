# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the cheap stem and the cheap block: what they see, and what they are in use."""

from dataclasses import replace

import pytest
from ssd_ros.training.config import TrainingConfig
from ssd_ros.training.export.models import contracts_of
from ssd_ros.training.export.onnx_export import check_parity, loaded, onnx_model
from ssd_ros.training.export.panorama_graph import panorama_graph
from ssd_ros.training.network_config import NetworkConfig, NETWORKS
from ssd_ros.training.networks.backbone import Backbone, merged, MergedBlock
from ssd_ros.training.networks.encoders import TeacherStudent
import torch
from torch import nn


def used(network: nn.Module, height: int = 64, width: int = 64) -> nn.Module:
    """Return the network with weights and batch statistics that are not the initial ones."""
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 1.5, generator=generator)
            module.bias.data.normal_(generator=generator)
    network.train()
    for _ in range(3):
        network(torch.randint(256, (2, 1, height, width), generator=generator).byte())
    return network.eval()


def cheap(config: NetworkConfig) -> NetworkConfig:
    return replace(config, stem='patches', block='merged', num_blocks=(1, 2), learns_power=False)


def test_a_block_of_three_branches_is_one_convolution_in_use() -> None:
    backbone = used(Backbone(NETWORKS['fast']))
    image = torch.randint(256, (2, 1, 64, 64), generator=torch.Generator().manual_seed(1)).byte()
    single = merged(backbone)
    assert not any(isinstance(module, MergedBlock) for module in single.modules())
    assert any(isinstance(module, MergedBlock) for module in backbone.modules())
    # The stem and three blocks.
    assert sum(isinstance(module, nn.Conv2d) for module in single.modules()) == 4
    with torch.inference_mode():
        expected = backbone(image)
        torch.testing.assert_close(single(image), expected, rtol=1e-5, atol=2e-5)
    assert expected.std() > 0.1


def test_the_stem_of_patches_sees_four_by_four_cells() -> None:
    stem = used(Backbone(NETWORKS['fast'])).stem
    image = torch.zeros(1, 1, 16, 16)
    before = stem(image)
    image[0, 0, 7, 8] = 200.0
    changed = (stem(image) != before).any(dim=1)[0]
    assert changed.nonzero().tolist() == [[1, 2]]


def test_a_feature_of_the_fast_network_sees_at_most_its_margin_beside_its_own_cells() -> None:
    backbone = used(Backbone(NETWORKS['fast']))
    image = torch.zeros(1, 1, 16, 128)
    with torch.no_grad():
        before = backbone(image)[..., 8]  # columns 64 .. 71
        reached = []
        for column in range(128):
            image[..., column] = 255.0
            if not torch.equal(backbone(image)[..., 8], before):
                reached.append(column)
            image[..., column] = 0.0
    assert (min(reached), max(reached)) == (64 - 20, 71 + 16)
    assert NETWORKS['fast'].teacher_margin >= 20


def test_the_fast_network_has_a_third_of_the_multiplications_and_the_same_map() -> None:
    from ssd_ros.bev.polar_bev import PolarGrid
    from ssd_ros.training.networks.encoders import multiplications

    gmac = {
        name: multiplications(TeacherStudent(NETWORKS[name], 0).encoder('4d'), PolarGrid()) / 1e9
        for name in ('edge', 'fast')
    }
    assert gmac['fast'] < 0.25 * gmac['edge']
    image = torch.zeros(1, 1, 384, 192, dtype=torch.uint8)
    assert TeacherStudent(NETWORKS['fast'], 0).student.eval()(image).shape == (1, 64, 48, 24)
    assert NETWORKS['fast'].descriptor_size == NETWORKS['edge'].descriptor_size == 256


def test_models_of_merged_blocks_compute_what_the_networks_compute(
    tiny_config: TrainingConfig,
) -> None:
    config = replace(tiny_config, network=cheap(tiny_config.network))
    networks = TeacherStudent(config.network, 0)
    used(networks.student)
    used(networks.teacher)
    origin = dict.fromkeys(('training_data', 'commit', 'created'), 'none')
    contracts = contracts_of(config, origin, networks)
    generator = torch.Generator().manual_seed(1)
    for sensor, network, graph, width in (
        ('4d', networks.encoder('4d'), networks.encoder('4d'), 32),
        ('spinning', networks.panorama_encoder(), panorama_graph(networks.panorama_encoder()), 96),
    ):
        images = torch.randint(256, (2, 64, width), generator=generator).byte().numpy()
        model = onnx_model(graph, contracts[sensor])
        # Stem, three blocks, and of the pooling two pairs of pointwise layers.
        assert sum(node.op_type == 'Conv' for node in model.graph.node) == 1 + 3 + 4
        assert check_parity(network, loaded(model), images) < 1e-5


def test_a_fixed_power_is_no_weight_and_gives_the_same_descriptor(
    tiny_config: TrainingConfig,
) -> None:
    learned = TeacherStudent(tiny_config.network, 0).eval()
    fixed = TeacherStudent(replace(tiny_config.network, learns_power=False), 0).eval()
    assert set(learned.state_dict()) - set(fixed.state_dict()) == {'pooling.power'}
    image = torch.randint(256, (1, 1, 64, 32), generator=torch.Generator().manual_seed(1)).byte()
    torch.testing.assert_close(
        fixed.encoder('4d')(image), learned.encoder('4d')(image), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize(
    ('option', 'value', 'message'),
    [('stem', 'patch', "network.stem is 'patch'; choose from convolution, patches"),
     ('block', 'rep', "network.block is 'rep'; choose from residual, merged"),
     ('num_blocks', (1, 0, 1), r'network.strides is \[1, 2, 1\], expected 1 for stages without')],
)  # fmt: skip
def test_parts_that_are_not_there_are_refused(option: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(NetworkConfig(), **{option: value})
