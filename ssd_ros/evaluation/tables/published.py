# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What the papers report, on real data, to be printed beside ours and marked as theirs.

R@1 and R@1% within 5 m on HeRCULES from SHeRLoc (arXiv 2506.15175) and from the paper on
Spatially-Stratified Distillation (arXiv 2606.18687).
"""

from __future__ import annotations

from typing import NamedTuple

SOURCE = 'published, real HeRCULES data'
NUM_WINS, NUM_LOSSES = 407, 297  # of SSD against SHeRLoc on Sports Complex 01 -> 03


class Row(NamedTuple):
    """
    One method's numbers.

    :param recalls: R@1 and R@1% for each column
    """

    method: str
    recalls: tuple[tuple[float, float], ...]


SINGLE_COLUMNS = ('SC01', 'SC02', 'SC03', 'Lib01', 'Lib02', 'Lib03', 'RI01', 'RI02', 'RI03')
SINGLE = (
    Row('SHeRLoc-S', ((.857, .924), (.975, .985), (.945, .981), (.866, .917), (.925, .950),
                      (.850, .891), (.899, .965), (.868, .963), (.850, .945))),
    Row('SHeRLoc', ((.900, .936), (.962, .987), (.958, .980), (.881, .936), (.938, .964),
                    (.868, .912), (.880, .957), (.860, .952), (.858, .959))),
    Row('SSD', ((.922, .971), (.975, .992), (.974, .998), (.900, .968), (.953, .980),
                (.894, .966), (.939, .991), (.926, .988), (.890, .975))),
)  # fmt: skip

MULTI_COLUMNS = ('SC01 -> SC02', 'SC01 -> SC03', 'Lib01 -> Lib02', 'Lib01 -> Lib03')
MULTI = {
    'multi': (
        Row('SHeRLoc-S', ((.796, .890), (.580, .696), (.822, .892), (.618, .757))),
        Row('SHeRLoc', ((.812, .893), (.650, .759), (.817, .887), (.610, .743))),
        Row('SSD', ((.838, .907), (.700, .818), (.863, .948), (.663, .858))),
    ),
    '4d': (
        Row('SHeRLoc-S', ((.866, .945), (.803, .925), (.914, .986), (.908, .988))),
        Row('SHeRLoc', ((.904, .961), (.843, .949), (.950, .995), (.923, .988))),
        Row('SSD', ((.949, .963), (.942, .973), (.964, .996), (.959, .987))),
    ),
    'spinning': (
        Row('SHeRLoc', ((.993, 1.0), (.981, .999), (.999, 1.0), (.998, 1.0))),
    ),
}  # fmt: skip

# Means over the sessions of a place, every scan of the map turned by a random angle.
RANDOM_YAW_COLUMNS = ('SC', 'Lib', 'RI')
RANDOM_YAW = (
    Row('SHeRLoc-S', ((.905, .959), (.828, .893), (.710, .880))),
    Row('SHeRLoc', ((.918, .964), (.858, .920), (.733, .904))),
)  # fmt: skip

# 4DRaL (arXiv 2603.26206), right within 25 m: R@1, R@5 and R@10 in per cent on NTU4D and SJTU4D;
# the checkpoints of NTU4D were chosen on its test.
FOURDRAL_SOURCE = 'published for 4DRaL, real data'
FOURDRAL_COLUMNS = ('NTU4D', 'SJTU4D A', 'SJTU4D B')
FOURDRAL = {
    'r2r': ((96.1, 96.3, 96.5), (91.6, 93.4, 94.0), (86.3, 89.8, 90.3)),
    'r2l': ((34.8, 43.5, 48.7), (38.2, 49.8, 58.1), (75.5, 80.3, 83.2)),
}
# R@1 in per cent without distillation, and of the teacher.
FOURDRAL_PLAIN = {'r2r': (94.5, 86.7, 84.4), 'r2l': (16.5, 13.3, 32.3)}
FOURDRAL_TEACHER = (97.2, 93.8, 89.0)
# R@1 in per cent on NTU4D with some of its parts.
FOURDRAL_PARTS = {
    'r2r': {'none': 94.5, 'LIE': 95.2, 'LIE+FDD': 95.7, 'LIE+FDD+RD': 96.1},
    'r2l': {'none': 16.5, 'LIE': 28.4, 'LIE+FDD': 22.5, 'LIE+RD': 34.8},
}
# Points of R@1 on NTU4D by which it changes with one choice undone; of its margin there is a plot.
FOURDRAL_CHOICES = {
    'r2r': {'LIE global': -1.2, 'one branch': -0.8, 'FDD by MSE': -0.3},
    'r2l': {'LIE global': -9.1},
}
# R@1 in per cent on SNAIL radar, zero-shot, the map made on a clear day.
FOURDRAL_WEATHERS = ('night', 'moderate_rain', 'heavy_rain')
FOURDRAL_WEATHER = {
    'l2l': (94.4, 93.7, 87.7),
    'r2r': (88.4, 90.1, 88.1),
    'r2l': (36.5, 40.2, 37.5),
}
# Milliseconds on an RTX 4090.
FOURDRAL_RUNTIME_MS = {'l2l': 1.2, 'r2r': 2.6, 'r2l': 2.5}
