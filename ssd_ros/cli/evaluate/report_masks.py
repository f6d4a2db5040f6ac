# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One place as both radars see it, and where they see it together."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import PolarGrid, views_of_panorama
from ssd_ros.evaluation.bev_cache import CachedDrive
from ssd_ros.evaluation.queries.pairs import pairs_of, poses_of

STRIDE = 8  # image cells from one feature to the next
# Neither, spinning radar only (gap), 4D radar only, both (joint).
_COLOURS = np.array([[255, 255, 255], [255, 170, 60], [120, 120, 220], [40, 160, 90]], np.uint8)


def masks_figure(drives: Sequence[CachedDrive], grid: PolarGrid) -> Figure | None:
    """
    Draw a 4D image, the forward view of the scan nearest to it, and which blocks have returns.

    These are blocks of returns in the images: distillation takes the teacher's features and
    spreads the student's returns.

    :return: None if no drive has both radars
    """
    pairs = pairs_of(drives, 'single')
    if not pairs:
        return None
    drive = pairs[0].query_drive
    row = len(drive.student_bevs) // 2
    scans = poses_of(drive, 'spinning').positions_m[:, :2]
    nearest = int(np.hypot(*(scans - drive.student_poses[row, :2]).T).argmin())
    student = np.asarray(drive.student_bevs[row])
    teacher = views_of_panorama(np.asarray(drive.panoramas[nearest]), grid, 1)[0]
    seen, there = _blocks(student), _blocks(teacher)
    figure = Figure(figsize=(10, 4.5), layout='constrained')
    left, middle, right = figure.subplots(1, 3)
    for axes, image, title in (
        (left, student, '4D radar (student)'),
        (middle, teacher, 'spinning radar (teacher)'),
    ):
        axes.imshow(image, aspect='auto', cmap='magma', origin='lower')
        axes.set(title=title, xlabel='azimuth cell, left first', ylabel='range cell')
    right.imshow(_COLOURS[there + 2 * seen], aspect='auto', origin='lower')
    right.set(xlabel=f'block of {STRIDE} x {STRIDE} cells')
    right.set_title(
        f'green: both, {(there & seen).sum()}; orange: spinning only, {(there & ~seen).sum()};\n'
        f'blue: 4D only, {(seen & ~there).sum()}',
        fontsize='small',
    )
    figure.suptitle(drive.name)
    return figure


def _blocks(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which blocks hold a return."""
    rows, columns = (size // STRIDE for size in image.shape)
    whole = image[: rows * STRIDE, : columns * STRIDE]
    parts = whole.reshape(rows, STRIDE, columns, STRIDE)
    return np.asarray(parts.max(axis=(1, 3)) > 0)
