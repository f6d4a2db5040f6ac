# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures as PNG files that say what made them."""

from __future__ import annotations

import io
from pathlib import Path

from matplotlib.figure import Figure
from ssd_ros.targets import GENERATOR, write_file


def png_of(figure: Figure, dpi: int = 100) -> bytes:
    """Return a figure as a PNG file."""
    file = io.BytesIO()
    figure.savefig(file, format='png', dpi=dpi, metadata={'Software': GENERATOR})
    return file.getvalue()


def write_figure(path: Path, figure: Figure, dpi: int = 100) -> Path:
    """
    Write a figure and return where.

    :raise TargetError: something stands there that is not ours
    """
    write_file(path, png_of(figure, dpi))
    return path
