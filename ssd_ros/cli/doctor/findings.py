# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is fit for use and what is to be mended, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
import math
from typing import Any

import numpy as np
from ssd_ros.cli.doctor.scans import Scans
from ssd_ros.cli.replay.run import Replay
from ssd_ros.confidence.radar_profile import NAMES, STATISTICS
from ssd_ros.radar.ego_velocity import Motion
from ssd_ros.ros.health.inputs import LOW_RATE_HZ
from ssd_ros.ros.health.texts import MISALIGNED
from ssd_ros.ros.parameters.node import NodeParameters

GOOD, NOTE, MEND = 'good', 'note', 'MEND'
_MIN_KNOWN = 0.5  # reconstructed, as what follows: share of scans whose velocity is known
_MAX_FAULTS = 0.1
_MOVING_MPS = 3.0
_MIN_WAY_M = 20.0
_MAX_SIGMA_S, _MAX_SHIFT_S = 0.1, 0.05
_VIEW = ('width_deg', 'near_m', 'far_m', 'rcs_db', 'moving')
_FILLED = 0.02, 0.4  # of the image of a turn; of Oxford, MulRan and simulated ones .10 to .16


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One thing that was looked at.

    :param level: GOOD, NOTE (worth to know) or MEND
    :param subject: a word
    :param sets: parameters of the node that mend it, or that follow from it
    """

    level: str
    subject: str
    words: str
    sets: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """As a line."""
        return f'{self.level:4}  {self.subject:<10} {self.words}'


def findings_of(scans: Scans, replay: Replay, parameters: NodeParameters) -> list[Finding]:
    """
    Return what the scans say.

    :param parameters: that the node would have, mounting as stated
    """
    if replay.recognizer.sensor == 'spinning':
        filled, returns = float(np.median(scans.filled)), float(np.median(scans.num_static))
        is_by_content = replay.encoder.contract.preprocessing.is_by_content
        brightness = brightness_of(filled, returns, is_by_content)
        return [*_reading(scans, replay), brightness, _turning(scans), _odometry(scans)]
    return [
        *_reading(scans, replay),
        _points(scans, replay),
        _view(scans),
        _doppler(scans, replay),
        _odometry(scans),
        _mounting(scans, parameters),
        *_clocks(scans),
    ]


def _reading(scans: Scans, replay: Replay) -> Iterator[Finding]:
    seconds = (scans.stamps_ns[-1] - scans.stamps_ns[0]) / 1e9
    text = f'{len(scans)} scans in {seconds:.0f} s, {scans.rate_hz:.1f} a second'
    is_slow = scans.rate_hz < LOW_RATE_HZ
    hint = ': a window of five scans gets too old' if is_slow else ''
    yield Finding(MEND if is_slow else GOOD, 'rate', f'{text}{hint}')
    num_faults = sum(replay.faults.values())
    for reason, count in replay.faults.most_common(3):
        is_much = num_faults > _MAX_FAULTS * (len(scans) + num_faults)
        level = MEND if is_much else NOTE
        yield Finding(level, 'reading', f'{count} scans cannot be used: {reason}')


def _points(scans: Scans, replay: Replay) -> Finding:
    few, usual, many = np.percentile(scans.num_points, [10, 50, 90])
    least = replay.recognizer.config.min_points
    static = float(np.median(scans.num_static))
    text = (
        f'{usual:.0f} points a scan ({few:.0f} to {many:.0f} in most), {static:.0f} static ones '
        'in a window'
    )
    if static < least:
        hint = f'nothing is accepted below {least}: does the driver filter too much?'
        return Finding(MEND, 'points', f'{text}: {hint}')
    return Finding(GOOD, 'points', text)


def _view(scans: Scans) -> Finding:
    """Say how far and how widely the radar sees, by the statistics that tell radars apart."""
    said = dict(zip(NAMES, scans.profile.tolist(), strict=True))
    known = [name for name in _VIEW if math.isfinite(said[name])]
    words = ', '.join(STATISTICS[name].words.format(said[name]) for name in known)
    return Finding(NOTE, 'view', words or 'too few static points to tell how the radar sees')


def _doppler(scans: Scans, replay: Replay) -> Finding:
    if scans.is_opposite:
        return Finding(
            MEND,
            'Doppler',
            'runs against the odometry: set doppler_sign to -1, or turn the radar by 180 degrees '
            'in its mounting if it looks back',
            {'doppler_sign': -replay.parameters.doppler_sign},
        )
    unknown, standing = scans.share_of(Motion.UNKNOWN), scans.share_of(Motion.STANDSTILL)
    if unknown > 1 - _MIN_KNOWN:
        hint = 'is the right field taken for Doppler (field_map), and has it moved?'
        return Finding(MEND, 'Doppler', f'tells no velocity in {unknown:.0%} of the scans: {hint}')
    fastest = float(scans.speeds_mps.max())
    known_m = scans.places_m[scans.has_pose]
    way_m = float(np.hypot(*np.ptp(known_m, axis=0))) if len(known_m) else 0.0
    if fastest == 0 and way_m > _MIN_WAY_M:
        hint = 'name its field in field_map: without, no mover is left out'
        return Finding(MEND, 'Doppler', f'is 0 in all scans while the odometry moves: {hint}')
    text = f'velocity known in {1 - unknown:.0%} of the scans, up to {fastest:.1f} m/s'
    if standing > 0:
        text += f', standing in {standing:.0%}'
    return Finding(GOOD if fastest > _MOVING_MPS else NOTE, 'Doppler', text)


def brightness_of(filled: float, returns: float, is_by_content: bool) -> Finding:
    """
    Say whether a turn shows about as much as the model was trained on.

    :param filled: share of the cells of the image that show a return
    :param returns: so many of them are kept for verification
    :param is_by_content: the images are the same at any gain
    """
    text = f'{filled:.0%} of the image of a turn are returns, {returns:.0f} of them kept'
    least, most = _FILLED
    if least <= filled <= most:
        return Finding(GOOD, 'brightness', text)
    side = 'darker' if filled < least else 'brighter'
    if is_by_content:
        hint = 'does its driver cut weak returns off, or is spinning.preset another?'
    else:
        hint = 'take images with normalisation content, or set the threshold: that of '
        hint += 'scan_context.json in a copy, that of a network in its training'
    return Finding(MEND, 'brightness', f'{text}: {side} than the model takes for granted: {hint}')


def _turning(scans: Scans) -> Finding:
    turns = scans.turns
    if turns.is_against:
        hint = (
            'do azimuths run counter-clockwise, is the radar upside down, or are the headings of '
            'the poses clockwise?'
        )
        return Finding(MEND, 'turning', f'the images turn against the headings: {hint}')
    if not turns.with_heading:
        return Finding(NOTE, 'turning', 'no turn with poses tells whether the images are mirrored')
    return Finding(GOOD, 'turning', f'with the headings {turns.with_heading} times, against them '
                   f'{turns.against_heading}')  # fmt: skip


def _odometry(scans: Scans) -> Finding:
    share = float(scans.has_pose.mean())
    if share == 0:
        hint = 'name one with --poses-topic or --poses, to see more'
        return Finding(NOTE, 'odometry', f'no poses beside the scans: {hint}')
    return Finding(GOOD, 'odometry', f'poses for {share:.0%} of the scans')


def _mounting(scans: Scans, parameters: NodeParameters) -> Finding:
    error = scans.yaw_error
    if scans.is_opposite or math.isnan(error.rad):
        hint = (
            'drive 15 m and more, faster than 3 m/s and not in circles alone, with odometry, or '
            'faster than 18 m/s'
        )
        return Finding(NOTE, 'mounting', f'nothing tells yet where the radar points: {hint}')
    if error.is_wrong:
        text = MISALIGNED.format(words=error.words, correction_rad=error.rad, frame='the radar')
        stated = parameters.radar_extrinsics
        corrected = (*stated[:5], round(stated[5] + error.rad, 4) + 0.0, *stated[6:])
        return Finding(MEND, 'mounting', text, {'radar_extrinsics': corrected})
    return Finding(GOOD, 'mounting', f'the radar {error.words}')


def _clocks(scans: Scans) -> Iterator[Finding]:
    late_s, sigma_s = scans.time_shift
    if not sigma_s <= _MAX_SIGMA_S:  # too steady to tell
        return
    side = 'late' if late_s > 0 else 'early'
    text = f'the scans are stamped {abs(late_s):.2f} s (+-{sigma_s:.2f}) {side} of the odometry'
    if abs(late_s) - 3 * sigma_s > _MAX_SHIFT_S:
        hint = 'poses are off by the way driven meanwhile: mend the stamps of the driver'
        yield Finding(MEND, 'clocks', f'{text}: {hint}')
    else:
        yield Finding(GOOD, 'clocks', text)
