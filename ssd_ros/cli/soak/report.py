# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures, picture and verdict of a soak."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure
import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.bench.node_load import LoadResult
from ssd_ros.cli.common.pictures import write_figure

CLOUDS_OF_AN_HOUR = 360_000  # at 100 Hz
_WARM_UP_SHARE = 0.2
# Below this, growth within the run is what an allocator does, not what a leak does.
_SMALLEST_GROWTH_MIB = 2.0


@dataclass(frozen=True, slots=True)
class SoakSummary:
    """
    What happened to the clouds and to the memory of the node.

    :param lost: by DDS, before the node: best effort is allowed to
    :param replaced: by a newer cloud before they were answered: the node counts them
    :param refused: could not be used, or their query failed
    :param growth_mib: of the line through the resident memory after the warm-up, over the run
    :param growth_of_an_hour_mib: the same line over 360,000 clouds
    """

    seconds: float
    sent: int
    lost: int
    received: int
    answered: int
    replaced: int
    refused: int
    latency_p50_ms: float
    latency_p99_ms: float
    latency_max_ms: float
    memory_start_mib: float
    memory_end_mib: float
    growth_mib: float
    growth_of_an_hour_mib: float

    def table(self) -> str:
        """Return the figures for people."""
        rate_hz = self.sent / self.seconds
        return '\n'.join(
            [
                f'clouds    {self.sent} sent in {self.seconds:.0f} s ({rate_hz:.0f} Hz), '
                f'{self.lost} lost on the way, {self.received} received',
                f'queries   {self.answered} answered, {self.replaced} replaced by a newer one, '
                f'{self.refused} refused',
                f'latency   p50 {self.latency_p50_ms:.1f} p99 {self.latency_p99_ms:.1f} '
                f'max {self.latency_max_ms:.1f} ms',
                f'memory    {self.memory_start_mib:.1f} MiB after the warm-up, '
                f'{self.memory_end_mib:.1f} at the end; growth {self.growth_mib:+.2f}, '
                f'over {CLOUDS_OF_AN_HOUR} clouds {self.growth_of_an_hour_mib:+.1f} MiB',
            ]
        )

    def check(self, max_latency_ms: float, max_growth_mib: float) -> None:
        """
        Judge.

        :raise ValueError: a limit is passed or clouds are unaccounted for
        """
        faults = []
        # The last cloud may still be in work when the node reports.
        missing = self.received - self.answered - self.replaced - self.refused
        if not 0 <= missing <= 1:
            faults.append(f'{missing} clouds are neither answered nor counted as left out')
        if self.latency_p99_ms > max_latency_ms:
            faults.append(f'latency p99 {self.latency_p99_ms:.0f} ms is above {max_latency_ms:g}')
        grows = self.growth_mib > _SMALLEST_GROWTH_MIB
        if grows and self.growth_of_an_hour_mib > max_growth_mib:
            faults.append(
                f'memory grows by {self.growth_of_an_hour_mib:.1f} MiB over {CLOUDS_OF_AN_HOUR} '
                f'clouds, above {max_growth_mib:g}'
            )
        if faults:
            raise ValueError('; '.join(faults))


def summarise(result: LoadResult) -> SoakSummary:
    """Return the figures of a run."""
    times_s, memory_mib = after_warm_up(result)
    slope, _ = np.polyfit(times_s, memory_mib, 1)
    growth_mib = float(slope * (times_s[-1] - times_s[0]))
    sent_in_fit = result.sent * (times_s[-1] - times_s[0]) / times_s[-1]
    received = result.count('input', 'messages')
    refused = sum(
        int(value)
        for key, value in result.reports[-1][1]['input'].items()
        if key.startswith('refused_')
    )
    p50, p99 = np.percentile(result.latencies_ms, (50, 99))
    return SoakSummary(
        seconds=float(result.answer_times_s[-1]),
        sent=result.sent,
        lost=result.sent - received,
        received=received,
        answered=result.count('inference', 'queries'),
        replaced=result.count('inference', 'queue_drops'),
        refused=refused + result.count('inference', 'failed'),
        latency_p50_ms=float(p50),
        latency_p99_ms=float(p99),
        latency_max_ms=float(result.latencies_ms.max()),
        memory_start_mib=float(memory_mib[0]),
        memory_end_mib=float(memory_mib[-1]),
        growth_mib=growth_mib,
        growth_of_an_hour_mib=growth_mib * CLOUDS_OF_AN_HOUR / sent_in_fit,
    )


def after_warm_up(result: LoadResult) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return times and resident memory without the first fifth of the run and its very end."""
    end_s = result.answer_times_s[-1]
    times_s = result.memory_times_s
    kept = (times_s > end_s * _WARM_UP_SHARE) & (times_s <= end_s)
    if kept.sum() < 3:
        raise ValueError(f'{kept.sum()} samples of memory are too few: run for longer')
    return times_s[kept], result.memory_mib[kept]


def draw(result: LoadResult, path: Path) -> None:
    """Draw memory and latency over time."""
    figure = Figure(figsize=(8, 6), layout='constrained')
    above, below = figure.subplots(2, sharex=True)
    minutes = result.memory_times_s / 60
    above.plot(minutes, result.memory_mib, '.-', ms=2, lw=0.7, label='resident')
    times_s, memory_mib = after_warm_up(result)
    line = np.polyval(np.polyfit(times_s, memory_mib, 1), times_s)
    above.plot(times_s / 60, line, label='line after the warm-up')
    above.set(ylabel='memory of the node (MiB)')
    above.legend(fontsize='small')
    below.semilogy(result.answer_times_s / 60, result.latencies_ms, '.', ms=1)
    below.set(xlabel='time (min)', ylabel='cloud published to candidates held (ms)')
    for axes in (above, below):
        axes.grid(alpha=0.3)
    write_figure(path, figure, 120)
