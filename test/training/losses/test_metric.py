# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check similarity and losses on tensors small enough to work out by hand."""

import math

import pytest
from ssd_ros.training.losses.metric import (
    blended,
    cross_modal_triplets,
    fixed_triplet,
    hardest_negatives,
    info_nce,
    place_distances,
    sampled_negatives,
    triplet,
)
from ssd_ros.training.losses.similarity import fft_similarity
import torch

GENERATOR = torch.Generator().manual_seed(0)
EAST, NORTH, WEST = torch.eye(2)[0], torch.eye(2)[1], -torch.eye(2)[0]


def sparse_images(num: int) -> torch.Tensor:
    images = torch.randint(0, 256, (num, 24, 12), generator=GENERATOR)
    return (images * (torch.rand(images.shape, generator=GENERATOR) < 0.1)).to(torch.uint8)


def test_an_image_is_alike_to_itself_wherever_it_is_rolled() -> None:
    images = sparse_images(3)
    rolled = torch.stack([image.roll((5, -3), dims=(0, 1)) for image in images])
    torch.testing.assert_close(fft_similarity(images, images), torch.ones(3))
    torch.testing.assert_close(fft_similarity(images, rolled), torch.ones(3))


def test_similarity_is_symmetric_and_below_one_for_different_images() -> None:
    first, second = sparse_images(4), sparse_images(4)
    forth, back = fft_similarity(first, second), fft_similarity(second, first)
    torch.testing.assert_close(forth, back)
    assert forth.min() > 0
    assert forth.max() < 0.9


def test_similarity_of_two_points_with_one_in_common_is_a_half() -> None:
    first, second = torch.zeros(2, 1, 8, 8).unbind()
    first[0, 1, 1] = first[0, 1, 2] = 100
    second[0, 5, 1] = second[0, 7, 4] = 100  # no shift brings both onto first
    assert fft_similarity(first, second).item() == pytest.approx(0.5, abs=1e-5)


def test_an_empty_image_is_alike_to_nothing() -> None:
    assert fft_similarity(torch.zeros(1, 4, 4), torch.ones(1, 4, 4)).item() == 0


def test_blended_rows_lose_the_last_and_run_on_from_one_into_the_next() -> None:
    expected = [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]
    blends = blended(torch.arange(16.0).view(4, 4))
    torch.testing.assert_close(blends, torch.tensor(expected).float())
    assert blended(torch.zeros(24, 1024)).shape == (24, 981)  # 8 of 23552 numbers fill no row


def test_triplets_across_sensors_ask_four_ways() -> None:
    student, teacher = torch.tensor([[0.0], [3.0]]), torch.tensor([[0.5], [4.0]])
    # Between partners .5 and 1; from 0 to 3 and 4, from 3 to 0 and .5, from .5 to 3 and 4, from 4
    # to 0 and .5.
    hinges = [[0.5 - 3 + 3, 1 - 3 + 3], [0, 1 - 2.5 + 3], [0.5 - 2.5 + 3, 0], [0, 1 - 3.5 + 3]]
    expected = sum(map(sum, hinges)) / 8
    loss = cross_modal_triplets(student, teacher, torch.tensor([1, 0]), 3.0)
    assert loss.item() == pytest.approx(expected)


def test_places_of_different_worlds_are_far_apart() -> None:
    places = torch.tensor([[0.0, 0.0, 0.0], [0.0, 3.0, 4.0], [1.0, 0.0, 0.0]])
    distances = place_distances(places, places)
    assert distances[0, 1] == 5
    assert distances[0, 2] == 1e9


def triplet_of(
    query: torch.Tensor, positive: torch.Tensor, negative: torch.Tensor, alike: float = 0.0
) -> float:
    similarities = torch.tensor([alike]), torch.tensor([0.0])
    batch = (query[None], positive[None], negative[None])
    return triplet(*batch, *similarities, margin_scale=1.0).item()


def test_the_triplet_is_zero_when_the_positive_coincides_and_the_negative_is_far() -> None:
    assert triplet_of(EAST, EAST, WEST, alike=0.9) == 0


def test_the_triplet_is_the_gap_of_distances_plus_the_margin() -> None:
    # d(q, p) = sqrt 2, d(q, n) = 2, d(p, n) = sqrt 2 is the nearer: the anchor swap.
    assert triplet_of(EAST, NORTH, WEST, alike=0.25) == pytest.approx(0.25, abs=1e-6)


def test_a_negative_that_looks_more_alike_than_the_positive_gives_no_negative_margin() -> None:
    assert triplet_of(EAST, NORTH, WEST, alike=-0.5) == pytest.approx(0, abs=1e-6)


def test_the_triplet_averages_over_the_triplets_that_are_not_zero() -> None:
    query, positive = torch.stack([EAST, EAST]), torch.stack([EAST, NORTH])
    negative = torch.stack([WEST, EAST])  # losses 0 and sqrt 2
    zeros = torch.zeros(2)
    loss = triplet(query, positive, negative, zeros, zeros, margin_scale=1.0)
    assert loss.item() == pytest.approx(math.sqrt(2), abs=1e-5)


def test_the_triplet_of_equal_descriptors_has_a_finite_gradient() -> None:
    query = EAST[None].clone().requires_grad_()
    triplet(query, EAST[None], EAST[None], torch.ones(1), torch.zeros(1), 1.0).backward()
    assert query.grad is not None
    assert torch.isfinite(query.grad).all()


def test_the_hardest_negative_is_the_nearest_allowed_one() -> None:
    teacher = torch.stack([EAST, NORTH, WEST])
    allowed = torch.tensor([[False, True, True]])
    assert hardest_negatives(EAST[None], teacher, allowed).tolist() == [1]


def test_negatives_are_drawn_from_the_same_world_beyond_the_radius() -> None:
    distances = torch.tensor([[0.0, 26.0, 24.0, 90.0, 1e9]]).expand(50, 5)
    drawn = sampled_negatives(distances, 25.0, 1, GENERATOR)
    assert drawn.sum(dim=1).tolist() == [1] * 50
    assert set(drawn.nonzero()[:, 1].tolist()) == {1, 3}


def test_the_farthest_place_is_the_negative_where_none_is_far() -> None:
    distances = torch.tensor([[0.0, 12.0, 24.0]])
    assert sampled_negatives(distances, 25.0, 2, GENERATOR).tolist() == [[False, False, True]]


def test_info_nce_of_descriptors_all_alike_is_the_logarithm_of_their_number() -> None:
    alike = EAST.expand(4, 2)
    negatives = ~torch.eye(4, dtype=torch.bool)
    assert info_nce(alike, alike, negatives, 0.1).item() == pytest.approx(math.log(4))


def test_info_nce_leaves_out_pairs_that_are_too_near_to_be_negatives() -> None:
    alike = EAST.expand(4, 2)
    negatives = torch.zeros(4, 4, dtype=torch.bool)
    negatives[0, 1] = negatives[1, 0] = True
    # Places 0 and 1 choose between two, 2 and 3 have no choice.
    assert info_nce(alike, alike, negatives, 0.1).item() == pytest.approx(math.log(2) / 2)


def test_a_distractor_counts_only_on_the_way_to_the_teacher() -> None:
    negatives = torch.tensor([[False, True]])
    loss = info_nce(EAST[None], EAST.expand(2, 2), negatives, 0.1).item()
    assert loss == pytest.approx(math.log(2) / 2)


def test_info_nce_vanishes_when_partners_coincide_and_others_are_opposite() -> None:
    descriptors = torch.stack([EAST, WEST])
    negatives = ~torch.eye(2, dtype=torch.bool)
    assert info_nce(descriptors, descriptors, negatives, 0.05).item() < 1e-12


def test_a_fixed_margin_is_asked_of_every_negative() -> None:
    # In the plane: 0.6 to the positive; 0.7, 0.95, 1.2 and 0.5 to the negatives.
    query = torch.zeros(1, 2)
    negatives = torch.tensor([[[0.7, 0.0], [0.0, 0.95], [-1.2, 0.0], [0.0, -0.5]]])
    loss = fixed_triplet(query, torch.tensor([[0.6, 0.0]]), negatives, 0.3)
    assert loss.item() == pytest.approx(0.15, abs=1e-6)  # (0.2 + 0 + 0 + 0.4) / 4
