# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check confidences against answers whose probability of being right is known."""

from dataclasses import asdict, replace
from functools import cache
import json
import math
import re

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.confidence.features import feature_matrix, FEATURES, Features
from ssd_ros.confidence.fit import FirstAnswers, fit_confidence, Refused
from ssd_ros.confidence.logistic_regression import probability, signed_logistic_regression
from ssd_ros.confidence.model import (
    brier_score,
    ConfidenceModel,
    Judgement,
    LogOdds,
    reliability,
)
from ssd_ros.confidence.threshold import (
    lowest_threshold,
    num_needed,
    stranger_limit,
    surely_at_least,
)
from ssd_ros.records import record_from_mapping

TRUE_WEIGHTS, TRUE_BIAS = np.array([-4.0, -8.0, 9.0, 3.0, -5.0, 6.0]), -4.0
NOTHING = Judgement(10, 20, 5, 1.0, 0.5, 0.0, 0.01)
SUPPORTED = LogOdds((-1.0, -2.0, 3.0, 0.5, -1.5, 4.0), 0.5)
UNSUPPORTED = LogOdds((-1.0, -3.0, 5.0, 0.25, -2.0), 1.5)
MODEL = ConfidenceModel(SUPPORTED, UNSUPPORTED, 0.9, 5.0, 0.85, 'made up', NOTHING, NOTHING)
GOOD = Features(0.8, 0.9, 0.4, 0.5, 0.2, 0.5)


def simulated_answers(
    num: int, num_strangers: int, seed: int = 4000
) -> tuple[FirstAnswers, NDArray[np.float64]]:
    """Return answers that are right with a known probability, and this probability."""
    rng = np.random.default_rng(seed)
    is_stranger = np.arange(num + num_strangers) >= num
    # Inside the map, two queries of three show their place well.
    quality = np.where(is_stranger, 0.0, rng.random(len(is_stranger)) < 0.67)
    noise = rng.normal(0, 1, (6, len(is_stranger)))
    distance = 0.95 - 0.25 * quality + 0.1 * noise[0]
    ratio = np.exp(-0.05 - 0.25 * quality + 0.08 * noise[1])
    overlap = np.clip(0.25 + 0.35 * quality + 0.1 * noise[2], 0, 1)
    support = np.clip(0.1 + 0.75 * quality + 0.15 * noise[3], 0, 1)
    agreement = np.clip(0.1 + 0.5 * quality + 0.2 * noise[4], 0, 1)
    rival = np.clip(0.3 - 0.15 * quality + 0.1 * noise[5], 0, 1)
    features = Features(distance, ratio, overlap, agreement, rival, support)
    log_odds = feature_matrix(features) @ TRUE_WEIGHTS + TRUE_BIAS
    truth = np.where(is_stranger, 0, probability(log_odds))
    correct = rng.random(len(truth)) < truth
    group = np.arange(len(truth)) % 4
    ambiguity = np.zeros(len(truth))
    return FirstAnswers(features, correct, is_stranger, group, ambiguity), truth


def changed(answers: FirstAnswers, **features: NDArray[np.float64]) -> FirstAnswers:
    return replace(answers, features=answers.features._replace(**features))


@cache
def fitted() -> ConfidenceModel:
    return fit_confidence(simulated_answers(6000, 3000)[0], 5.0, 0.85, 'made up')


def test_the_reliability_of_six_answers() -> None:
    confidence = np.array([0.0, 0.1, 0.3, 0.8, 0.9, 1.0])
    correct = np.array([False, True, False, True, True, True])
    result = reliability(confidence, correct, num_bins=4)
    assert result.counts.tolist() == [2, 1, 0, 3]
    np.testing.assert_allclose(result.mean_confidence, [0.05, 0.3, np.nan, 0.9])
    np.testing.assert_allclose(result.share_right, [0.5, 0, np.nan, 1])
    # (2 * 0.45 + 1 * 0.3 + 3 * 0.1) / 6
    assert result.calibration_error == pytest.approx(0.25)


def test_the_brier_score_of_four_answers() -> None:
    confidence = np.array([1.0, 0.5, 0.5, 0.2])
    correct = np.array([True, True, False, False])
    assert brier_score(confidence, correct) == pytest.approx((0 + 0.25 + 0.25 + 0.04) / 4)


def test_a_confidence_worked_out_by_hand() -> None:
    log_odds = -1 * 0.8 - 2 * math.log(0.9) + 3 * 0.5 + 0.5 * 0.25 - 1.5 * 0.1 + 4 * 0.75 + 0.5
    features = Features(0.8, 0.9, 0.5, 0.25, 0.1, 0.75)
    assert MODEL.confidence(features) == pytest.approx(1 / (1 + math.exp(-log_odds)))
    alone = -1 * 0.8 - 3 * math.log(0.9) + 5 * 0.5 + 0.25 * 0.25 - 2 * 0.1 + 1.5
    both = MODEL.confidence(features._replace(support=[0.75, math.nan]))
    np.testing.assert_allclose(both, 1 / (1 + np.exp([-log_odds, -alone])))


def test_what_was_not_verified_has_no_confidence() -> None:
    assert np.isnan(MODEL.confidence(GOOD._replace(overlap=math.nan)))


@pytest.mark.parametrize(
    ('name', 'beyond', 'limit'),
    [
        ('ratio', 0.0, 0.5),
        ('ratio', math.inf, 2.0),
        ('distance', 0.0, 0.4),
        ('distance', 4.0, 1.5),
        ('overlap', -0.5, 0.0),
    ],
)
def test_a_feature_beyond_experience_counts_as_the_last_known_one(
    name: str, beyond: float, limit: float
) -> None:
    here, there = (GOOD._replace(**{name: value}) for value in (limit, beyond))
    assert MODEL.confidence(there) == MODEL.confidence(here)


def test_probabilities_neither_overflow_nor_leave_0_and_1() -> None:
    assert probability(np.array([-1e6, -1.0, 0.0, 1e6])).tolist() == pytest.approx(
        [0, 1 / (1 + math.e), 0.5, 1]
    )


def test_fresh_answers_are_right_as_often_as_the_confidence_says() -> None:
    fresh, truth = simulated_answers(20_000, 0, seed=4001)
    confidence = fitted().confidence(fresh.features)
    assert reliability(confidence, fresh.correct).calibration_error < 0.02
    # No forecast is better than the truth itself.
    assert 0 < brier_score(confidence, fresh.correct) - brier_score(truth, fresh.correct) < 0.002


def test_the_weights_are_found_again() -> None:
    # Strangers, told by no feature alone, add up to a tenth of the weight.
    np.testing.assert_allclose(fitted().supported.weights, TRUE_WEIGHTS, rtol=0.3)


def test_the_threshold_keeps_its_limits_on_fresh_answers() -> None:
    fresh, _ = simulated_answers(20_000, 20_000, seed=4002)
    accepted = fitted().confidence(fresh.features) >= fitted().threshold
    assert fresh.correct[accepted & ~fresh.is_stranger].mean() >= 0.99
    assert accepted[fresh.is_stranger].mean() <= 0.001
    assert (accepted & fresh.correct).sum() / 20_000 > 0.4  # of the 0.67 that show their place


def test_drives_held_out_fare_like_fresh_ones() -> None:
    held_out = fitted().held_out
    assert held_out is not None
    assert (held_out.num_queries, held_out.num_strangers) == (6000, 3000)
    assert held_out.precision >= 0.99
    assert held_out.stranger_rate <= 0.001
    assert held_out.calibration_error < 0.02
    assert held_out.recall == pytest.approx(fitted().fitted.recall, abs=0.05)


def test_the_fit_itself_is_judged_by_counting() -> None:
    answers, _ = simulated_answers(6000, 3000)
    accepted = fitted().confidence(answers.features) >= fitted().threshold
    inside = ~answers.is_stranger
    result = fitted().fitted
    assert result.num_accepted == (accepted & inside).sum()
    assert result.precision == answers.correct[accepted & inside].mean()
    assert result.recall == (accepted & answers.correct).sum() / 6000
    assert result.stranger_rate == accepted[~inside].mean()


@pytest.mark.parametrize('by', ['rival', 'ambiguity'])
def test_what_is_never_accepted_does_not_raise_the_threshold(by: str) -> None:
    answers, _ = simulated_answers(6000, 3000)
    # A hundred strangers look like the best of the right answers, but are told to be ambiguous.
    bold = np.flatnonzero(answers.is_stranger)[:100]
    features = {name: np.array(values) for name, values in answers.features._asdict().items()}
    for name, value in {'distance': 0.5, 'ratio': 0.7, 'overlap': 1.0, 'support': 1.0}.items():
        features[name][bold] = value
    features['rival'] = np.minimum(features['rival'], 0.79)
    told = {'rival': features['rival'], 'ambiguity': np.zeros(len(answers.correct))}
    told[by][bold] = 0.9
    lied_to = replace(changed(answers, **features), ambiguity=told['ambiguity'])
    limited = fit_confidence(lied_to, 5.0, 0.85, 'refused', refused=Refused(0.8, 0.4))
    assert limited.fitted.stranger_rate <= 0.001
    assert limited.fitted.recall > 0.3
    if by == 'rival':  # which the fit weighs, too
        free = fit_confidence(lied_to, 5.0, 0.85, 'accepted')
        assert free.threshold > limited.threshold
    else:
        with pytest.raises(ValueError, match='no threshold gives a precision'):
            fit_confidence(lied_to, 5.0, 0.85, 'accepted')


def test_a_single_drive_cannot_be_held_out() -> None:
    answers, _ = simulated_answers(3000, 1000)
    model = fit_confidence(
        replace(answers, group=np.zeros(4000, np.int64)), 5.0, 0.85, 'one drive'
    )
    assert model.held_out is None


def test_a_feature_that_misleads_is_left_out() -> None:
    answers, _ = simulated_answers(3000, 1000)
    # Here a greater overlap and a smaller support go with right answers.
    misled = changed(answers, support=1 - np.asarray(answers.features.support))
    model = fit_confidence(misled, 5.0, 0.85, 'misled')
    weights = dict(zip(FEATURES, model.supported.weights, strict=True))
    assert weights['support'] == 0
    assert weights['distance'] < 0
    assert weights['ratio'] < 0
    assert weights['overlap'] > 0


@pytest.mark.parametrize('name', FEATURES)
def test_better_features_never_lower_the_confidence(name: str) -> None:
    steps = np.diff(fitted().confidence(GOOD._replace(**{name: np.linspace(0, 1, 50)})))
    assert (steps * (-1 if name in ('distance', 'ratio', 'rival') else 1) >= 0).all()


def test_a_feature_that_never_varies_gets_no_weight() -> None:
    answers, _ = simulated_answers(3000, 1000)
    model = fit_confidence(changed(answers, support=np.full(4000, 0.5)), 5.0, 0.85, 'constant')
    assert model.supported.weights[FEATURES.index('support')] == 0


def test_without_any_support_both_ways_are_the_same() -> None:
    answers, _ = simulated_answers(3000, 1000)
    model = fit_confidence(answers.without_support(), 5.0, 0.85, 'no odometry')
    assert model.supported.weights == (*model.unsupported.weights, 0.0)
    assert model.held_out == model.held_out_unsupported


def test_without_support_fresh_answers_are_as_right_but_fewer_are_accepted() -> None:
    fresh = simulated_answers(20_000, 20_000, seed=4003)[0].without_support()
    confidence, inside = fitted().confidence(fresh.features), ~fresh.is_stranger
    calibration = reliability(confidence[inside], fresh.correct[inside])
    assert calibration.calibration_error < 0.02
    accepted = confidence >= fitted().threshold
    assert fresh.correct[accepted & inside].mean() >= 0.99
    assert accepted[~inside].mean() <= 0.001
    expected = fitted().held_out_unsupported
    assert expected is not None
    assert (accepted & fresh.correct).sum() / 20_000 == pytest.approx(expected.recall, abs=0.05)
    assert expected.recall < fitted().fitted.recall


def test_a_model_survives_json() -> None:
    text = json.dumps(asdict(fitted()), allow_nan=False)
    assert record_from_mapping(ConfidenceModel, json.loads(text)) == fitted()


@pytest.mark.parametrize(
    ('weights', 'bias', 'message'),
    [
        ((1.0, -1.0, 1.0, 1.0, -1.0, 1.0), 0.0, r'weights \(1.0, .* expected signs'),
        ((-1.0, -1.0), 0.0, '2 weights, expected those of'),
        ((-1.0, -1.0, 1.0, 1.0, -1.0, math.nan), 0.0, 'expected finite numbers'),
        ((-1.0, -1.0, 1.0, 1.0, -1.0, 1.0), math.inf, 'bias inf, expected finite numbers'),
    ],
)
def test_broken_weights_are_refused(weights: tuple[float, ...], bias: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LogOdds(weights, bias)


@pytest.mark.parametrize('threshold', [0.0, 1.5, math.nan])
def test_a_threshold_that_is_no_probability_is_refused(threshold: float) -> None:
    with pytest.raises(
        ValueError, match=rf'threshold is {threshold}, expected above 0, at most 1'
    ):
        replace(MODEL, threshold=threshold)


def test_weights_in_the_wrong_place_are_refused() -> None:
    with pytest.raises(ValueError, match='5 weights with support and 6 without, expected 6 and 5'):
        replace(MODEL, supported=UNSUPPORTED, unsupported=SUPPORTED)


@pytest.mark.parametrize('name', FEATURES[:4])
@pytest.mark.parametrize('value', [math.nan, math.inf])
def test_features_that_are_no_numbers_are_refused(name: str, value: float) -> None:
    answers, _ = simulated_answers(100, 30)
    broken = np.array(getattr(answers.features, name))
    broken[17] = value
    with pytest.raises(ValueError, match=f'{name} holds NaN or infinity'):
        changed(answers, **{name: broken})


def test_answers_that_contradict_themselves_are_refused() -> None:
    answers, _ = simulated_answers(100, 30)
    with pytest.raises(ValueError, match='outside the map are marked correct'):
        replace(answers, correct=np.ones(130, bool))
    with pytest.raises(ValueError, match=re.escape('ratio has shape (3,), expected (130,)')):
        changed(answers, ratio=np.ones(3))
    with pytest.raises(ValueError, match='support holds NaN or infinity'):
        changed(answers, support=np.full(130, np.inf))


def test_too_few_answers_of_a_kind_are_named() -> None:
    answers, _ = simulated_answers(300, 10)
    with pytest.raises(ValueError, match='10 queries outside the map, expected at least 20'):
        fit_confidence(answers, 5.0, 0.85, 'few strangers')
    answers, _ = simulated_answers(300, 30)
    all_wrong = replace(answers, correct=np.zeros(330, bool))
    with pytest.raises(ValueError, match='0 right and 300 wrong answers inside the map'):
        fit_confidence(all_wrong, 5.0, 0.85, 'all wrong')


def test_strangers_are_wrong_answers_enough() -> None:
    answers, _ = simulated_answers(600, 300)
    kept = answers.select(answers.correct | answers.is_stranger)
    model = fit_confidence(kept, 5.0, 0.85, 'recognised everywhere', 0.9, 0.05)
    assert model.fitted.precision == 1.0
    assert model.fitted.recall > 0.5
    assert model.fitted.stranger_rate <= 0.05


def test_limits_that_cannot_be_kept_are_an_error() -> None:
    answers, _ = simulated_answers(200, 100)
    with pytest.raises(ValueError, match=r'no threshold gives a precision of 0\.99.*268 or more'):
        fit_confidence(answers, 5.0, 0.85, 'too few to be sure')


def test_limits_that_are_no_shares_are_refused() -> None:
    answers, _ = simulated_answers(200, 100)
    with pytest.raises(ValueError, match=r'are \(1\.0, 0\.001\), expected 0 \.\. 1'):
        fit_confidence(answers, 5.0, 0.85, 'certain', min_precision=1.0)


def test_no_answer_or_no_probability_cannot_be_judged() -> None:
    with pytest.raises(ValueError, match='no answer to judge'):
        reliability(np.zeros(0), np.zeros(0, bool))
    with pytest.raises(ValueError, match=r'outside 0 \.\. 1'):
        reliability(np.array([np.nan]), np.ones(1, bool))


def test_99_percent_are_sure_after_268_right_answers() -> None:
    assert num_needed(0.99) == 268
    sure = surely_at_least(np.array([267, 268, 500]), np.array([267, 268, 505]))
    assert (sure >= 0.99).tolist() == [False, True, False]


def test_the_lowest_threshold_of_a_thousand_right_answers_and_one_wrong() -> None:
    scores = np.arange(1000, dtype=np.float64)
    correct = scores != 300
    strangers = np.full(100, -5.0)
    # Of the 700 answers from 300 on, one is wrong: 0.99 is sure, 0.999 not even of the others.
    assert lowest_threshold(scores, correct, strangers, 0.99, 0.001) == 0
    assert lowest_threshold(scores, correct, strangers, 0.996, 0.001) == 301
    assert lowest_threshold(scores, correct, strangers, 0.999, 0.001) is None


def test_equal_scores_are_accepted_together() -> None:
    scores = np.repeat([2.0, 1.0], [400, 100])
    correct = np.repeat([True, True, False], [400, 50, 50])
    assert lowest_threshold(scores, correct, np.full(20, -1.0), 0.99, 0.001) == 2


def test_the_threshold_lies_above_the_strangers_even_where_answers_are_right() -> None:
    scores, correct = np.array([*range(1001)]) / 100, np.ones(1001, bool)
    strangers = np.array([*range(-50, 0), *range(50)]) / 100  # from -0.5 to 0.49
    # Of 100 strangers, 30 may be accepted: those from 0.2 on.
    assert lowest_threshold(scores, correct, strangers, 0.99, 0.3) == pytest.approx(0.2)
    # None may: their best is passed by far, since they are few.
    limit = lowest_threshold(scores, correct, strangers, 0.99, 0.001)
    assert limit is not None
    assert 0.6 < limit < 1.2


@pytest.mark.parametrize('num', [100, 1000, 10_000])
def test_the_stranger_limit_holds_for_those_not_seen(num: int) -> None:
    rng = np.random.default_rng(4000)
    limits = np.array([stranger_limit(rng.exponential(size=num), 0.001) for _ in range(200)])
    # log(1000) = 6.9 is exceeded by one in a thousand; 95 % are to lie above, less 2 deviations.
    assert (limits > math.log(1000)).mean() > 0.92
    assert np.median(limits) < 2.5 * math.log(1000)


def test_the_tail_of_too_few_strangers_is_not_guessed() -> None:
    with pytest.raises(ValueError, match='10 queries outside the map, expected more than 10'):
        stranger_limit(np.zeros(10), 0.001)


def test_answers_that_a_line_separates_have_finite_weights() -> None:
    answers, _ = simulated_answers(2000, 1000)
    quality = ~answers.is_stranger & (np.asarray(answers.features.support) > 0.5)
    # Neither the ridge nor the line search may fail where the likelihood alone has no maximum.
    clear = changed(answers, overlap=0.3 + 0.3 * quality, support=0.1 + 0.8 * quality)
    clear = replace(clear, correct=quality)
    model = fit_confidence(clear, 5.0, 0.85, 'separable')
    assert model.fitted.precision == model.fitted.recall / quality[:2000].mean() == 1
    assert max(map(abs, model.supported.weights)) < 100


def test_the_signed_weights_are_those_that_no_small_step_improves() -> None:
    rng = np.random.default_rng(4000)
    inputs = rng.normal(0, [1, 3, 0.2], (500, 3))
    counts = rng.uniform(0.1, 1, 500)
    is_true = rng.random(500) < probability(inputs @ [2.0, -0.5, 1.0] - 0.3)
    weights, bias = signed_logistic_regression(inputs, (1, 1, 1), is_true, counts)

    def loss_of(weights: NDArray[np.float64], bias: float) -> float:
        log_odds = inputs @ weights + bias
        ridge = 0.01 * np.sum((weights * inputs.std(axis=0)) ** 2) / 2
        return float(counts @ (np.logaddexp(0, log_odds) - is_true * log_odds) + ridge)

    assert weights[1] == 0
    assert (weights[[0, 2]] > 0).all()
    least = loss_of(weights, bias)
    for step in np.vstack([0.01 * np.eye(4), -0.01 * np.eye(4)]):
        if weights[1] + step[1] >= 0:
            assert loss_of(weights + step[:3], bias + step[3]) > least
