# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The figures of a replay: for the console, the JSON file and the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.common.drives import without_pose
from ssd_ros.cli.replay.log import ReplayLog
from ssd_ros.cli.replay.poses import Motion, Truth
from ssd_ros.cli.replay.run import Replay
from ssd_ros.data_origin import kind_of
from ssd_ros.datasets.sequence import origin_of
from ssd_ros.maps.place_search import PlaceSource
from ssd_ros.recognition.candidates import DECISIONS, Flag
from ssd_ros.recognition.decision import UNLIKE_RADAR, WRONG_MAP_POSES
from ssd_ros.recognition.map_check import doubt_of
from ssd_ros.recognition.radar_check import radar_words, RADARS_NOT_KNOWN
from ssd_ros.ros.health.texts import MAP_POSES_AT_RISK, MISALIGNED, RADAR_AT_RISK, SESSION_FULL

# The stages of the recogniser; reading the recording is not one of them.
_NOT_A_STAGE = ('read',)


def latencies_ms(log: ReplayLog) -> NDArray[np.float64]:
    """Return what the recogniser took for each query, shape (Q,)."""
    stages = [times for stage, times in log.times_ms.items() if stage not in _NOT_A_STAGE]
    return np.asarray(np.sum(stages, axis=0))


def summary_of(
    replay: Replay, log: ReplayLog, judged: Truth | Motion | None, wall_s: float
) -> dict[str, Any]:
    """
    Return the summary.

    :param judged: the answers beside the poses of the recording, if it has any
    :param wall_s: how long the replay took
    """
    stamps_ns = replay.scans.stamps_ns
    recording_s = float(stamps_ns[-1] - stamps_ns[0]) / 1e9
    num_faults = sum(replay.faults.values())
    counts = {name: int((log.decisions == name).sum()) for name in DECISIONS}
    times = {**log.times_ms, 'recogniser': latencies_ms(log)}
    origin, yaw_error = origin_of(replay.drive), replay.recognizer.mounting_check.yaw_error
    origins = [origin, *(place.info.data_origin for place in replay.recognizer.maps)]
    return {
        'recording': replay.drive.name,
        'origin': kind_of(one.kind for one in origins),
        'recording_origin': origin.text,
        'maps': [
            {
                'uuid': place.info.uuid,
                'keyframes': len(place),
                'of': place.info.source,
                'origin': place.info.data_origin.text,
                'pose_misfit_m': place.info.pose_misfit_m,
            }
            for place in replay.recognizer.maps
        ],
        'encoder': replay.encoder.digest,
        'scans': len(stamps_ns),
        'scans_left_out': num_faults,
        'radar_kind': _radar_words(replay),
        'queries_of_unknown_radar': replay.num_unlike,
        'queries': len(log),
        'without_candidate': int((~log.has_candidate).sum()),
        **counts,
        'loop_closures': int(log.closes_loop.sum()),
        'accepted_by': asdict(replay.limits()),
        'accept_rate': counts['accepted'] / len(log),
        'recording_s': recording_s,
        'wall_s': wall_s,
        'speed_factor': recording_s / wall_s,
        'queries_per_s': len(log) / wall_s,
        'latency_ms': {stage: _percentiles(values) for stage, values in times.items()},
        'best': {
            name: _percentiles(log.best[name])
            for name in ('distance', 'ratio', 'confidence', 'support')
        },
        'mounting': f'the radar {yaw_error.words}',
        'yaw_error_deg': float(np.degrees(yaw_error.rad)),
        'yaw_error_sigma_deg': float(np.degrees(yaw_error.sigma_rad)),
        'truth': judged.figures() if isinstance(judged, Truth) else None,
        'odometry': judged.figures() if isinstance(judged, Motion) else None,
        'warnings': list(_warnings(replay, log, judged, recording_s / wall_s)),
    }


def _radar_words(replay: Replay) -> str:
    return radar_words(_sources(replay), replay.unlike_radar, replay.recognizer.sensor)


def _sources(replay: Replay) -> list[PlaceSource | None]:
    return [*replay.recognizer.maps, replay.recognizer.live]


def _percentiles(values: NDArray[Any]) -> dict[str, float]:
    """Return the percentiles of what is known, NaN if nothing is."""
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return {name: float('nan') for name in ('p50', 'p95', 'p99', 'max')}
    p50, p95, p99 = np.percentile(known, [50, 95, 99]).tolist()
    return {'p50': p50, 'p95': p95, 'p99': p99, 'max': float(known.max())}


def _warnings(
    replay: Replay, log: ReplayLog, judged: Truth | Motion | None, speed_factor: float
) -> Iterator[str]:
    """Yield what a user should know before trusting the figures."""
    for reason, count in replay.faults.most_common(5):
        yield f'{count} scans left out: {reason}'
    if (low := int(log.has_flag(Flag.LOW_POINTS).sum())) > len(log) // 10:
        yield f'{low} of {len(log)} queries had too few static points to be accepted'
    yield from _radar_warnings(replay, len(log))
    is_risked = replay.recognizer.config.accept_risk_map_poses
    text = MAP_POSES_AT_RISK if is_risked else WRONG_MAP_POSES
    yield from filter(None, (doubt_of(place.info, text) for place in replay.recognizer.maps))
    if (live := replay.recognizer.live) is not None and live.is_full:
        yield SESSION_FULL.format(keyframes=len(live))
    if not np.isfinite(log.best['confidence']).any():
        yield 'no confidence: the map has no calibration'
    if judged is None:
        yield 'no poses beside the answers: --poses or --poses-topic name some'
    if lacking := without_pose(replay.scans.stamps_ns, replay.scans.poses):
        yield lacking
    if speed_factor < 1:
        yield f'slower than real time: {speed_factor:.2f} of it'


def _radar_warnings(replay: Replay, num_queries: int) -> Iterator[str]:
    if (yaw_error := replay.recognizer.mounting_check.yaw_error).is_wrong:
        yield MISALIGNED.format(
            words=yaw_error.words, correction_rad=yaw_error.rad, frame='the radar'
        )
    if replay.num_unlike:
        is_risked = replay.recognizer.config.accept_risk_unknown_radar
        text = (RADAR_AT_RISK if is_risked else UNLIKE_RADAR).format(
            difference=replay.unlike_radar
        )
        yield f'{replay.num_unlike} of {num_queries} queries: {text}'
    if _radar_words(replay) == RADARS_NOT_KNOWN:
        yield RADARS_NOT_KNOWN


def text_of(summary: Mapping[str, Any]) -> str:
    """Return the summary as lines of text, warnings last."""
    rows = [*rows_of(summary), *(('warning', text) for text in summary['warnings'])]
    return '\n'.join(f'{name:<20} {value}' for name, value in rows)


def rows_of(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the summary as names and values."""
    recogniser = summary['latency_ms']['recogniser']
    rows = [
        (
            'recording',
            f'{summary["recording"]}, {summary["recording_s"]:.1f} s, '
            f'{summary["recording_origin"]}',
        ),
        *(
            ('map', f'{place["keyframes"]} keyframes of {place["of"]}, {place["origin"]}')
            for place in summary['maps']
        ),
        ('scans', f'{summary["scans"]}, of which {summary["scans_left_out"]} left out'),
        ('queries', f'{summary["queries"]}'),
        ('mounting', summary['mounting']),
        ('accepted', f'{summary["accepted"]} ({summary["accept_rate"]:.1%})'),
        ('ambiguous', f'{summary["ambiguous"]}'),
        ('rejected', f'{summary["rejected"]}'),
        ('latency p50 / p99', f'{recogniser["p50"]:.1f} / {recogniser["p99"]:.1f} ms'),
        ('speed', f'{summary["speed_factor"]:.1f} x real time in {summary["wall_s"]:.1f} s'),
    ]
    if loops := summary['loop_closures']:
        rows.append(('closed a loop', f'{loops} queries, in the running drive'))
    if truth := summary['truth']:
        rows += [
            ('queries in the map', f'{truth["queries_in_map"]} of {truth["queries"]}'),
            (f'R@1 within {truth["radius_m"]:g} m', number(truth['recall_at_1'], '.3f')),
            ('accepted precision', number(truth['accepted_precision'], '.4f')),
            ('accepted recall', number(truth['accepted_recall'], '.3f')),
            ('accepted outside', f'{truth["accepted_outside_map"]}'),
            ('median error', f'{number(truth["median_error_m"], ".2f")} m, '
             f'{number(truth["median_yaw_error_deg"], ".2f")} degrees'),
        ]  # fmt: skip
    if odometry := summary['odometry']:
        share = number(odometry['agreeing'], '.3f')
        rows.append(('agree with odometry', f'{share} of {odometry["pairs"]} accepted pairs'))
    return rows


def number(value: float, form: str) -> str:
    """Return a figure, a dash if there is none."""
    return '-' if np.isnan(value) else f'{value:{form}}'
