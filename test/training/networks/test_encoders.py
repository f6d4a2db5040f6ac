# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check HOLMES and the backbones by their invariants."""

from dataclasses import replace
import math

import pytest
from ssd_ros.bev.polar_bev import PolarGrid
from ssd_ros.training.network_config import HolmesLevelConfig, NetworkConfig, NETWORKS
from ssd_ros.training.networks.encoders import main, multiplications, TeacherStudent, view_columns
from ssd_ros.training.networks.holmes import (
    Holmes,
    PositionEncoding,
    spread_regularisation,
)
from ssd_ros.training.networks.transport import transport_plan
import torch

TINY = NetworkConfig(
    channels=(4, 8),
    num_blocks=(1, 1),
    strides=(1, 2),
    hidden_size=8,
    mid=HolmesLevelConfig(6, 4, 4, 8),
    high=HolmesLevelConfig(3, 4, 4, 4),
)
TWO_LEVELS = replace(TINY, two_levels=True)


def tensor(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def pooling_of(config: NetworkConfig, seed: int = 0) -> Holmes:
    pooling = TeacherStudent(config, seed).pooling
    assert isinstance(pooling, Holmes)
    return pooling.eval()


def plan_of(scores: torch.Tensor) -> torch.Tensor:
    return transport_plan(scores, torch.tensor(1.0), torch.tensor(1.0), torch.ones(len(scores)), 3)


def test_every_position_spreads_a_mass_of_one_over_clusters_and_bins() -> None:
    plan = plan_of(5 * tensor(2, 6, 20))
    assert plan.shape == (2, 8, 20)
    torch.testing.assert_close(plan.sum(dim=1), torch.ones(2, 20))


def test_permuted_positions_permute_the_plan() -> None:
    scores = 5 * tensor(1, 6, 20)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(plan_of(scores)[:, :, order], plan_of(scores[:, :, order]))


def test_clusters_keep_the_published_share_of_mass_when_all_scores_are_equal() -> None:
    # n = 72, m = 64: each bin asks for n - m = 8 units, each cluster for 1; 64 / 80 stays.
    plan = plan_of(torch.ones(1, 64, 72))
    assert plan[:, :64].sum().item() / 72 == pytest.approx(0.8, abs=1e-4)


def test_too_few_positions_are_refused_with_both_numbers() -> None:
    with pytest.raises(ValueError, match='6 positions cannot fill 6 clusters'):
        plan_of(tensor(1, 6, 6))


def test_regularisation_is_one_for_a_constant_map_and_grows_with_the_spread() -> None:
    maps = torch.stack([torch.ones(3, 4, 4), 100 * tensor(3, 4, 4)]).flatten(1)
    constant, varied = spread_regularisation(
        maps.mean(dim=1), maps.square().mean(dim=1), maps.shape[1]
    ).tolist()
    assert constant == pytest.approx(1)
    spread = maps[1].var() / (2 * maps[1].mean())
    assert varied == pytest.approx(1 + 2 * math.tanh(spread))


def test_the_descriptor_of_the_paper_does_not_depend_on_the_order_of_positions() -> None:
    pooling = pooling_of(replace(TINY, position_octaves=0))
    feature_map = tensor(2, 8, 4, 5)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(1))
    permuted = feature_map.flatten(2)[:, :, order].view(2, 8, 4, 5)
    torch.testing.assert_close(pooling(feature_map), pooling(permuted), atol=1e-5, rtol=0)


def test_the_position_encoding_tells_a_mirrored_map_apart() -> None:
    feature_map = tensor(1, 8, 6, 4)
    differences = []
    for octaves in (0, 4):
        pooling = pooling_of(replace(TINY, position_octaves=octaves))
        difference = pooling(feature_map) - pooling(feature_map.flip(3))
        differences.append(difference.norm().item())
    assert differences[0] < 1e-5
    assert differences[1] > 0.01


def test_clusters_prefer_a_region_at_first_and_features_do_not() -> None:
    encoding = PositionEncoding(64, 8, replace(TINY, position_spread=2.0))
    at_scores, at_features = encoding(12, 6)
    assert at_scores.shape == (64, 12, 6)
    # 16 waves of mean square 1/2 with weights of standard deviation 2.
    assert at_scores.std().item() == pytest.approx(2 * math.sqrt(8), rel=0.15)
    assert torch.equal(at_features, torch.zeros(8, 12, 6))


def test_the_position_encoding_of_one_cell_is_its_waves_weighted() -> None:
    encoding = PositionEncoding(1, 1, replace(TINY, position_octaves=1))
    torch.nn.init.ones_(encoding.mixture)
    # Rows 0, 1/2, 1 and one column at 0: sin + cos of pi * row, plus sin 0 + cos 0.
    for added in encoding(3, 1):
        torch.testing.assert_close(added.flatten(), torch.tensor([2.0, 2.0, 0.0]))


@pytest.mark.parametrize('config', [TINY, TWO_LEVELS])
def test_a_view_of_a_panorama_is_encoded_like_an_image_of_it_with_a_margin(
    config: NetworkConfig,
) -> None:
    # A feature of this network sees 25 columns to either side.
    networks = TeacherStudent(replace(config, teacher_margin=32, num_views=12), seed=0).eval()
    panorama = (255 * tensor(2, 1, 64, 96)).byte()
    descriptors = networks.panorama_encoder()(panorama)
    assert descriptors.shape == (2, 12, config.descriptor_size)
    for view in (0, 1, 5, 11):
        # A step is 8 columns; view 0 begins half a view left of forward.
        columns = (torch.arange(-16 - 32, 16 + 32) + 8 * view) % 96
        feature_map = networks.teacher_features(panorama[..., columns])
        torch.testing.assert_close(
            descriptors[:, view], networks.pooling(feature_map), atol=1e-5, rtol=0
        )


def test_views_that_do_not_fall_on_features_are_refused() -> None:
    with pytest.raises(ValueError, match='40 features around cannot make 36 views'):
        view_columns(40, 36)


@pytest.mark.parametrize(('config', 'size'), [(TINY, 8), (TWO_LEVELS, 12)])
def test_descriptors_have_unit_norm(config: NetworkConfig, size: int) -> None:
    descriptors = pooling_of(config)(tensor(3, 8, 6, 4))
    assert descriptors.shape == (3, size)
    torch.testing.assert_close(descriptors.norm(dim=1), torch.ones(3))


def test_both_levels_have_equal_weight() -> None:
    descriptor = pooling_of(TWO_LEVELS)(tensor(1, 8, 6, 4))[0]
    assert descriptor[:8].norm().item() == pytest.approx(1 / math.sqrt(2), abs=1e-6)
    assert descriptor[8:].norm().item() == pytest.approx(1 / math.sqrt(2), abs=1e-6)


def test_the_map_of_the_edge_network_has_stride_eight() -> None:
    networks = TeacherStudent(NETWORKS['edge'], seed=0)
    bevs = torch.zeros(1, 1, 384, 192, dtype=torch.uint8)
    assert networks.student.eval()(bevs).shape == (1, 128, 48, 24)


def test_both_branches_start_with_equal_weights_but_do_not_share_them() -> None:
    networks = TeacherStudent(TINY, seed=0)
    for ours, theirs in zip(
        networks.student.parameters(), networks.teacher.parameters(), strict=True
    ):
        assert ours is not theirs
        assert torch.equal(ours, theirs)


def test_weights_come_from_the_seed_alone() -> None:
    first = pooling_of(TINY, seed=3).mid.projection
    torch.rand(5)
    again = pooling_of(TINY, seed=3).mid.projection
    other = pooling_of(TINY, seed=4).mid.projection
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_paper_network_has_the_published_number_of_parameters() -> None:
    encoder = TeacherStudent(NETWORKS['paper'], seed=0).encoder('4d')
    parameters = sum(parameter.numel() for parameter in encoder.parameters())
    assert round(parameters / 1e6, 2) == 18.95
    assert NETWORKS['paper'].descriptor_size == 320


def test_multiplications_of_a_network_worked_out_by_hand() -> None:
    config = NetworkConfig(
        channels=(2,),
        num_blocks=(1,),
        strides=(1,),
        hidden_size=3,
        position_octaves=0,
        mid=HolmesLevelConfig(2, 2, 2, 4),
    )
    # 16 x 8 input: stem 8 x 4 cells of 49 x 2; block 4 x 2 cells of twice 9 x 2 x 2;
    # pooling per cell (2x3 + 3x2) twice, token 2x3 + 3x2, projection (2 + 2x2) x 4.
    by_hand = 32 * 98 + 8 * 72 + 8 * 24 + 12 + 24
    encoder = TeacherStudent(config, seed=0).encoder('4d')
    assert multiplications(encoder, PolarGrid(num_ranges=16, num_azimuths=8)) == by_hand


def test_the_command_lists_both_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    output = capsys.readouterr().out
    assert 'edge' in output
    assert 'paper' in output


def test_what_4dral_adds_stands_before_and_behind_the_students_backbone() -> None:
    plain = TeacherStudent(TINY, seed=0).eval()
    networks = TeacherStudent(TINY, seed=0, enhances=True, imitates=True).eval()
    for name, tensor in plain.state_dict().items():
        torch.testing.assert_close(networks.state_dict()[name], tensor)
    images = torch.randint(256, (2, 1, 64, 32)).byte()
    assert networks.enhancement is not None
    assert networks.imitation is not None
    with torch.inference_mode():
        drawn = networks.enhancement(images / 255)
        features = plain.student(255 * drawn)
        logits = networks.imitation(features)
        sight = networks.seeing.see(images)
        assert sight.images is not None
        assert sight.imitated is not None
        torch.testing.assert_close(sight.images, drawn)
        torch.testing.assert_close(sight.imitated, logits)
        torch.testing.assert_close(sight.features, features + torch.sigmoid(logits))
        pooled = networks.pooling(sight.features)
        torch.testing.assert_close(networks.encoder('4d')(images), pooled)
        untouched = plain.encoder('spinning')(images)
        torch.testing.assert_close(networks.encoder('spinning')(images), untouched)


def test_without_it_a_student_sees_as_its_backbone_does() -> None:
    networks = TeacherStudent(TINY, seed=0).eval()
    images = torch.randint(256, (2, 1, 64, 32)).byte()
    with torch.inference_mode():
        sight = networks.seeing.see(images)
        assert sight.images is None
        assert sight.imitated is None
        torch.testing.assert_close(sight.features, networks.student(images))
