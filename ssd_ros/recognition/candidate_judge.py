# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From findings to candidates and decisions about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.confidence.model import ConfidenceModel
from ssd_ros.encoders.model_contract import ModelContract
from ssd_ros.recognition.answer import LoopClosureCandidate, RecognizerConfig
from ssd_ros.recognition.decision import (
    AcceptLimits,
    Decision,
    Evidence,
    REPEATED,
)
from ssd_ros.recognition.findings import Finding
from ssd_ros.recognition.standstill import AcceptedPlaces


def judge(
    findings: Sequence[Finding],
    contract: ModelContract,
    config: RecognizerConfig,
    num_points: int,
    refused: Mapping[int, Decision],
) -> tuple[LoopClosureCandidate, ...]:
    """
    Return candidates with their decisions, in the order of the findings.

    :param num_points: static returns in the window
    :param refused: what is decided about all candidates of a map, by its number
    """
    too_few = None
    if num_points < config.min_points:
        reason = f'{num_points} static points in the window, fewer than {config.min_points}'
        too_few = Decision('rejected', reason)
    candidates = []
    for rank, finding in enumerate(findings):
        decision = (
            too_few
            or refused.get(finding.hit.source.map_id)
            or (Decision('rejected', finding.too_few) if finding.too_few else None)
            or limits_of(finding.calibration, config, contract).decide(_evidence_of(finding))
        )
        candidates.append(_candidate(finding, rank, decision))
    return tuple(candidates)


def _evidence_of(finding: Finding) -> Evidence:
    return Evidence(
        finding.hit.distance,
        finding.hit.ratio,
        finding.confidence,
        finding.support,
        finding.rival,
        finding.ambiguity,
        finding.verification is not None,
    )


def without_repeats(
    candidates: Sequence[LoopClosureCandidate],
    findings: Sequence[Finding],
    accepted: AcceptedPlaces,
    is_requested: bool,
) -> tuple[LoopClosureCandidate, ...]:
    """
    Return the candidates, refused where their place was accepted since the vehicle moved last.

    :param findings: of the candidates, in the same order
    :param accepted: gets the place of the best candidate of the maps, and of the running drive, if
        it is accepted now: the one that others are told
    :param is_requested: refuse none of a map
    """
    places = [(finding.frame, finding.pose_in_map) for finding in findings]
    is_free = [is_requested and not finding.hit.source.is_live for finding in findings]
    is_repeat = [
        not free and accepted.holds(*place) for free, place in zip(is_free, places, strict=True)
    ]
    for is_live in (False, True):
        kind = [rank for rank, candidate in enumerate(candidates) if candidate.is_live == is_live]
        if kind and candidates[kind[0]].accepted:
            accepted.add(*places[kind[0]])
    return tuple(
        replace(candidate, decision=REPEATED) if candidate.accepted and repeats else candidate
        for candidate, repeats in zip(candidates, is_repeat, strict=True)
    )


def limits_of(
    model: ConfidenceModel | None, config: RecognizerConfig, contract: ModelContract | None = None
) -> AcceptLimits:
    """
    Return the limits of a map: the user's, else its calibration's, else the model's.

    :param model: the calibration of the map, None if it has none
    :param contract: of the encoder; without it, what would be its limit is none
    """
    own = contract if model is None else None
    return AcceptLimits(
        max_distance=config.accept_max_distance or (own.accept_max_distance if own else math.inf),
        max_ratio=config.accept_max_ratio or (own.accept_max_ratio if own else math.inf),
        ambiguous_ratio=(
            config.accept_max_ratio or (contract.accept_max_ratio if contract else math.inf)
        ),
        min_confidence=(
            None if model is None else config.accept_min_confidence or model.threshold
        ),
        min_support=config.accept_min_support,
        max_rival=config.accept_max_rival or math.inf,
        max_ambiguity=config.accept_max_ambiguity or math.inf,
    )


def _candidate(finding: Finding, rank: int, decision: Decision) -> LoopClosureCandidate:
    hit, keyframe, found = finding.hit, finding.keyframe, finding.verification
    if found is None:
        # A heading drawn evenly from one step of the views.
        num_views = len(hit.source.view_yaws_rad)
        yaw_rad, yaw_std_rad = hit.yaw_rad, 2 * math.pi / num_views / math.sqrt(12)
        x_m = y_m = overlap = math.nan
        covariance: NDArray[np.float64] = np.full((3, 3), math.nan)
    else:
        yaw_rad, covariance, overlap = found.yaw_rad, found.covariance, found.overlap
        yaw_std_rad = math.sqrt(covariance[2, 2])
        x_m, y_m = found.x_m, found.y_m
    return LoopClosureCandidate(
        keyframe_id=hit.number,
        map_id=hit.source.map_id,
        rank=rank,
        relative_yaw_rad=yaw_rad,
        relative_yaw_std_rad=yaw_std_rad,
        relative_x_m=x_m,
        relative_y_m=y_m,
        covariance=covariance,
        overlap=overlap,
        distance=hit.distance,
        ratio=hit.ratio,
        agreement=finding.agreement,
        support=finding.support,
        rival=finding.rival,
        ambiguity=finding.ambiguity,
        confidence=finding.confidence,
        decision=decision,
        stamp_ns=keyframe.stamp_ns,
        position_m=keyframe.position_m,
        quaternion_xyzw=keyframe.quaternion_xyzw,
        is_live=hit.source.is_live,
    )
