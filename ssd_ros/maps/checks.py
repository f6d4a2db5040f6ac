# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the arrays of a map must be like, whether they were read or are to be written."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from ssd_ros.encoders.model_checks import UNIT_LENGTH_TOLERANCE
from ssd_ros.encoders.scan_context import ScanContextConfig
from ssd_ros.maps.meta import MapError
from ssd_ros.motion.pose_faults import MAX_POSITION_M
from ssd_ros.motion.trajectory import END_OF_STAMPS_NS, Trajectory

MAX_RETURNS_BYTES = 8192  # of one keyframe


def check_descriptors(
    descriptors: NDArray[np.float32], num_keyframes: int, num_views: int
) -> None:
    """Check number, size and length of the descriptors of a map, shape (rows, D)."""
    if num_keyframes == 0:
        raise MapError('a map needs at least one keyframe')
    if num_views < 1:
        raise MapError(f'num_views is {num_views}, expected at least 1')
    num_rows = num_keyframes * num_views
    if descriptors.ndim != 2 or len(descriptors) != num_rows or descriptors.dtype != np.float32:
        raise MapError(
            f'descriptors have shape {descriptors.shape} and type {descriptors.dtype}, expected '
            f'({num_keyframes} keyframes * {num_views} views = {num_rows}, D) float32'
        )
    lengths = np.sqrt(np.einsum('ij,ij->i', descriptors, descriptors))
    is_unit = np.abs(lengths - 1) <= UNIT_LENGTH_TOLERANCE  # False for a NaN, too
    if not is_unit.all():
        row = int(np.argmin(is_unit))
        raise MapError(f'descriptor {row} has length {lengths[row]:.4g}, expected 1')


def check_scan_contexts(
    descriptor_size: int, num_views: int, config: ScanContextConfig | None
) -> None:
    """Compare the size of descriptors with that of the contexts that they are, if they are."""
    found = (descriptor_size, num_views)
    if config is not None and found != (config.num_rings * config.num_sectors, 1):
        raise MapError(
            f'{num_views} descriptors of {descriptor_size} numbers make a keyframe, expected '
            f'one scan context of {config.num_rings} x {config.num_sectors}'
        )


def check_returns(returns_cm: NDArray[np.int16], num_keyframes: int) -> None:
    """Check the returns of the keyframes of a map, shape (keyframes, M, 2) in cm."""
    shape, num_bytes = returns_cm.shape, returns_cm[:1].nbytes
    if returns_cm.ndim != 3 or shape[0] != num_keyframes or shape[2] != 2:
        raise MapError(f'returns have shape {shape}, expected ({num_keyframes} keyframes, M, 2)')
    if returns_cm.dtype != np.int16 or num_bytes > MAX_RETURNS_BYTES:
        raise MapError(
            f'the returns of a keyframe take {num_bytes} bytes of {returns_cm.dtype}, expected '
            f'at most {MAX_RETURNS_BYTES} of int16'
        )


def check_places(keyframes: Trajectory) -> None:
    """Check that messages can carry the keyframes of a map, and that they are poses."""
    positions_m, stamps_ns = keyframes.positions_m, keyframes.stamps_ns
    is_place = np.abs(positions_m).max(axis=1) <= MAX_POSITION_M  # False for a NaN, too
    if not is_place.all():
        worst = int(np.argmin(is_place))
        raise MapError(
            f'keyframe {worst} is at {positions_m[worst].tolist()} m, expected finite numbers '
            f'within {MAX_POSITION_M:g} m of the origin'
        )
    is_stamp = (stamps_ns >= 0) & (stamps_ns < END_OF_STAMPS_NS)
    if not is_stamp.all():
        worst = int(np.argmin(is_stamp))
        raise MapError(
            f'keyframe {worst} has the stamp {stamps_ns[worst]} ns, expected 0 to before 2^31 s: '
            'no message can carry it'
        )
    turns = np.linalg.norm(keyframes.quaternions_xyzw, axis=1)
    if not (np.abs(turns - 1) <= UNIT_LENGTH_TOLERANCE).all():
        raise MapError('a keyframe quaternion is not of unit length')


def check_segments(starts: Sequence[int], num_keyframes: int) -> None:
    """
    Check with which keyframes segments begin.

    :raise MapError: that cannot be, and why
    """
    is_ascending = all(a < b for a, b in pairwise(starts))
    if not (starts and starts[0] == 0 and is_ascending and starts[-1] < num_keyframes):
        raise MapError(
            f'segment_starts is {list(starts[:9])}, expected ascending numbers of keyframes, 0 '
            f'first, below {num_keyframes}'
        )
