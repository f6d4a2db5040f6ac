# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tests for the terms that pull the student's features to the teacher's."""

from dataclasses import replace

import pytest
from ssd_ros.training.config import DistillationConfig
from ssd_ros.training.losses.distillation import (
    distil,
    Distillation,
    spatial_masks,
    spatial_weights,
    SpatialMasks,
    student_evidence,
)
from ssd_ros.training.schemes import SPATIAL_SCHEMES
import torch
from torch import Tensor

SSD = DistillationConfig(scheme='ssd')
ALIGNED = torch.ones(2, dtype=torch.bool)


@pytest.fixture
def maps() -> tuple[Tensor, Tensor, Tensor]:
    """Return features of the student and the teacher and a sparse image of the student."""
    generator = torch.Generator().manual_seed(0)
    student, teacher = torch.rand(2, 2, 5, 12, 6, generator=generator)
    returns = torch.rand(2, 1, 96, 48, generator=generator) < 0.0007
    return student, teacher, 100 * returns.byte()


def of_scheme(scheme: str, maps: tuple[Tensor, Tensor, Tensor]) -> Distillation:
    return distil(*maps, ALIGNED, replace(SSD, scheme=scheme))


@pytest.mark.parametrize(
    ('sigma', 'own', 'beside', 'diagonal', 'two_away'),
    [(0.5, 0.619, 0.084, 0.011, 0.0), (1.0, 0.159, 0.097, 0.059, 0.022),
     (1.5, 0.071, 0.057, 0.045, 0.029), (2.0, 0.040, 0.035, 0.031, 0.024)],
)  # fmt: skip
def test_one_return_leaves_the_evidence_of_a_gaussian_around_its_feature(
    sigma: float, own: float, beside: float, diagonal: float, two_away: float
) -> None:
    bevs = torch.zeros(1, 1, 384, 192, dtype=torch.uint8)
    bevs[0, 0, 8 * 20 + 3, 8 * 12 + 5] = 1
    evidence = student_evidence(bevs, (48, 24), sigma)[0]
    found = [evidence[20, 12], evidence[21, 12], evidence[19, 13], evidence[20, 10]]
    assert [float(value) for value in found] == pytest.approx(
        [own, beside, diagonal, two_away], abs=6e-4
    )


def test_the_whole_image_full_of_returns_is_evidence_of_one_away_from_its_edges() -> None:
    evidence = student_evidence(torch.full((1, 1, 96, 96), 9, dtype=torch.uint8), (12, 12), 1.0)
    assert float(evidence[0, 5, 5]) == pytest.approx(1)
    assert float(evidence[0, 0, 0]) == pytest.approx(0.489, abs=0.01)  # zeros lie outside


def test_joint_and_gap_share_the_teachers_structure_between_them(
    maps: tuple[Tensor, Tensor, Tensor],
) -> None:
    masks = spatial_masks(maps[1], maps[2], SSD)
    assert float((masks.joint * masks.gap).sum()) == 0
    assert torch.equal(masks.joint + masks.gap, masks.teacher)
    assert 0 < float(masks.joint.sum()) < float(masks.gap.sum())


def test_the_teachers_structure_is_where_its_magnitude_exceeds_the_mean() -> None:
    teacher = torch.tensor([1.0, 1.0, 1.0, 5.0]).reshape(1, 1, 2, 2)
    masks = spatial_masks(teacher, torch.zeros(1, 1, 16, 16, dtype=torch.uint8), SSD)
    assert masks.teacher[0].tolist() == [[0, 0], [0, 1]]
    assert masks.gap[0].tolist() == [[0, 0], [0, 1]]


@pytest.mark.parametrize(
    ('scheme', 'expected'),
    [('uniform', [1, 1, 1, 1]), ('teacher_only', [1, 1, 0, 0]), ('joint_only', [1, 0, 0, 0]),
     ('ssd', [1, 0.1, 0, 0]), ('feature_mask', [1, 0, 1 / 6, 0])],
)  # fmt: skip
def test_each_scheme_weighs_joint_gap_claimed_and_empty_features(
    scheme: str, expected: list[float]
) -> None:
    # The teacher is strong in the upper row, the student in the left column, with its returns.
    masks = SpatialMasks(
        *torch.tensor([[[[1.0, 1], [0, 0]]], [[[1, 0], [0, 0]]], [[[0, 1], [0, 0]]]])
    )
    student = torch.tensor([5.0, 1, 5, 1]).reshape(1, 1, 2, 2)
    weights = spatial_weights(masks, student, replace(SSD, scheme=scheme))
    assert weights.flatten().tolist() == pytest.approx(expected)


@pytest.mark.parametrize('scheme', SPATIAL_SCHEMES)
def test_equal_features_cost_nothing(scheme: str, maps: tuple[Tensor, Tensor, Tensor]) -> None:
    result = of_scheme(scheme, (maps[1], maps[1], maps[2]))
    assert float(result.features) == pytest.approx(0, abs=1e-6)
    assert float(result.covariance) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize('scheme', SPATIAL_SCHEMES)
def test_only_the_student_gets_a_gradient(
    scheme: str, maps: tuple[Tensor, Tensor, Tensor]
) -> None:
    student, teacher = (part.clone().requires_grad_() for part in maps[:2])
    result = of_scheme(scheme, (student, teacher, maps[2]))
    (result.features + result.covariance).backward()
    assert teacher.grad is None
    assert student.grad is not None
    assert float(student.grad.abs().sum()) > 0


def test_cells_of_weight_zero_get_no_gradient_from_the_features(
    maps: tuple[Tensor, Tensor, Tensor],
) -> None:
    student = maps[0].clone().requires_grad_()
    of_scheme('ssd', (student, *maps[1:])).features.backward()
    assert student.grad is not None
    is_moved = student.grad.abs().sum(dim=1) > 0
    assert torch.equal(is_moved, spatial_masks(maps[1], maps[2], SSD).teacher > 0)


def test_a_scheme_with_equal_weights_gives_the_mean_cosine_distance(
    maps: tuple[Tensor, Tensor, Tensor],
) -> None:
    expected = 1 - torch.cosine_similarity(maps[0], maps[1], dim=1).mean()
    assert float(of_scheme('uniform', maps).features) == pytest.approx(float(expected), abs=1e-5)


def test_the_covariance_of_opposite_pairs_is_worked_out_by_hand() -> None:
    # The student's features are constant: covariance 0. The teacher's are (1, 0) and (0, 1) by
    # turns: covariance [[.25, -.25], [-.25, .25]], squared norm 4 / 16.
    student = torch.tensor([1.0, 0]).reshape(1, 2, 1, 1).expand(1, 2, 2, 2)
    teacher = torch.tensor([[1.0, 0, 1, 0], [0, 1, 0, 1]]).reshape(1, 2, 2, 2)
    bevs = torch.zeros(1, 1, 16, 16, dtype=torch.uint8)
    result = distil(student, teacher, bevs, ALIGNED[:1], replace(SSD, scheme='uniform'))
    assert float(result.covariance) == pytest.approx(0.25)


def test_pairs_whose_cells_do_not_correspond_are_left_out(
    maps: tuple[Tensor, Tensor, Tensor],
) -> None:
    config = replace(SSD, scheme='uniform')
    first = distil(*maps, torch.tensor([True, False]), config)
    alone = distil(*(part[:1] for part in maps), ALIGNED[:1], config)
    assert float(first.features) == pytest.approx(float(alone.features))
    assert float(first.covariance) == pytest.approx(float(alone.covariance))
    none = distil(*maps, torch.tensor([False, False]), config)
    assert float(none.features) == float(none.covariance) == 0


def test_what_to_watch_is_reported_by_mask(maps: tuple[Tensor, Tensor, Tensor]) -> None:
    values = {name: float(value) for name, value in of_scheme('ssd', maps).statistics.items()}
    assert values['teacher_share'] == pytest.approx(values['joint_share'] + values['gap_share'])
    assert 0 < values['joint_distance'] < 1


@pytest.mark.parametrize(
    ('option', 'value', 'message'),
    [('scheme', 'all', "scheme is 'all'; choose from none, uniform"),
     ('sigma', 0.0, 'sigma is 0.0, expected more than 0'),
     ('gap_weight', 1.5, 'gap_weight is 1.5, expected 0 .. 1'),
     ('relational_margin', -1.0, 'relational_margin is -1.0, expected at least 0')],
)  # fmt: skip
def test_options_that_make_no_sense_are_refused(option: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SSD, **{option: value})
