# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is printed of a comparison of real and simulated radar."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from ssd_ros.cli.statistics.comparison import (
    cross_validated_auc,
    in_their_place,
    known_in_both,
    ks_distance,
    Sample,
)
from ssd_ros.cli.statistics.pieces import IMAGE, LEVEL, SHAPE

NUM_IN_THEIR_PLACE = 20
_SETS = {
    'all statistics': (LEVEL, SHAPE, IMAGE),
    'those that no gain changes': (SHAPE, IMAGE),
    'of the image alone': (IMAGE,),
}


def lines_of(radar: str, split: str, real: Sample, simulated: Sample) -> Iterator[str]:
    """Yield the lines on one radar: a table of statistics, then what a classifier can tell."""
    real, simulated = known_in_both(real, simulated)
    yield f'{radar}: real {_extent(real)} | simulated, {split}: {_extent(simulated)}'
    yield f'  {"statistic":40} {"real":>8}  {"simulated 5 ... 95 %":^27}   KS'
    for name, of_real, of_simulated in zip(
        real.names, real.values.T, simulated.values.T, strict=True
    ):
        median = float(np.nanmedian(of_real))
        low, middle, high = np.nanpercentile(of_simulated, [5, 50, 95]).tolist()
        distance = ks_distance(of_real, of_simulated)
        yield (
            f'  {name:40} {median:8.2f}  {low:8.2f} {middle:8.2f} {high:8.2f}    {distance:.2f}'
        )
    for words, kinds in _SETS.items():
        if any(name.startswith(kinds) for name in real.names):
            yield '  ' + _auc_line(words, real.of(kinds), simulated.of(kinds))
    yield f'  {_caution(real)}'


def _extent(sample: Sample) -> str:
    return (
        f'{_counted(sample.num_frames, "independent frame")} of '
        f'{_counted(sample.num_recordings, "recording")}, {len(sample.values)} pieces'
    )


def _counted(num: int, noun: str) -> str:
    return f'{num} {noun}' if num == 1 else f'{num} {noun}s'


def _auc_line(words: str, real: Sample, simulated: Sample) -> str:
    value = cross_validated_auc(real, simulated)
    instead = list(in_their_place(real, simulated, NUM_IN_THEIR_PLACE))
    if not instead:
        return f'AUC, {words}: {value:.3f}'
    p5, p50, p95 = np.percentile(instead, [5, 50, 95])
    share = np.mean(np.array(instead) >= value)
    return (
        f'AUC, {words}: {value:.3f} (simulated in their place: {p50:.3f}, {p5:.3f} ... {p95:.3f}; '
        f'{share:.0%} as high)'
    )


def _caution(real: Sample) -> str:
    num = real.num_frames
    if num == 1:
        return (
            'One independent frame: its pieces are of one place and one radar, so that an AUC is '
            'high for any one frame; compare it with that of a simulated one in its place.'
        )
    return f'{num} independent frames stand behind these figures, not {len(real.values)} pieces.'
