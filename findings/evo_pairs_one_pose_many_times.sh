#!/usr/bin/env bash
# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# evo pairs an estimate with the reference before it computes errors: each pose of the shorter
# trajectory with the pose of the other that is nearest in time. A long reference at 1 Hz (GNSS)
# and a short estimate at 10 Hz make the estimate the shorter one: ten of its poses get the same
# pose of the reference, and what the vehicle drove in the meantime is counted as error, up to half
# a second of it. The number of pairs is that of the estimate, and no warning says so. The same
# estimate beside a reference that is cut to its time has one pair a second and no error at all.
# Seen: evo 1.38.1 (51 pairs with 6 poses, 2.9 m RMS at 10 m/s; cut: 6 pairs, 0 m). Exits 1 if
# that has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/pair.py" <<'PYTHON'
import sys

from evo.core import metrics, sync
from evo.core.trajectory import PoseTrajectory3D
import numpy as np


def driven(stamps_s):
    """Return a drive at 10 m/s along x, without any error."""
    xyz_m = np.column_stack([10 * stamps_s, np.zeros((len(stamps_s), 2))])
    return PoseTrajectory3D(xyz_m, np.tile([1.0, 0, 0, 0], (len(stamps_s), 1)), stamps_s)


def paired(reference, estimate):
    """Return pairs, different poses of the reference in them, and the RMS error."""
    both = sync.associate_trajectories(reference, estimate, max_diff=0.5)
    error = metrics.APE(metrics.PoseRelation.translation_part)
    error.process_data(both)
    rmse_m = error.get_statistic(metrics.StatisticsType.rmse)
    return both[0].num_poses, len(np.unique(both[0].timestamps)), round(rmse_m, 1)


estimate = driven(np.linspace(100, 105, 51))
whole = paired(driven(np.arange(0.0, 1000.0)), estimate)
cut = paired(driven(np.arange(100.0, 106.0)), estimate)
for name, (pairs, poses, rmse_m) in (('whole reference', whole), ('cut', cut)):
    print(f'{name}: {pairs} pairs with {poses} poses of the reference, APE {rmse_m} m')
sys.exit((whole, cut) != ((51, 6, 2.9), (6, 6, 0.0)))
PYTHON
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check evo==1.38.1 numpy==2.2.6
"$work/venv/bin/python" "$work/pair.py"
