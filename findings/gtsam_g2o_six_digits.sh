#!/usr/bin/env bash
# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# A pose graph in coordinates of a map (UTM, as GNSS and map providers give them) has eastings of
# six digits and northings of seven before the decimal point. `writeG2o` writes six digits in all:
# what `readG2o` gives back lies metres away, two keyframes one metre apart may become one place,
# and the relative poses between them, of which nothing is lost, no longer fit. Nothing is said.
# Seen: gtsam 4.3.0, a pose of Pose3 comes back 3.5 m off. Exits 1 if that has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/write.py" <<'PYTHON'
import sys

import gtsam
import numpy as np

path = sys.argv[1]
first = gtsam.Pose3(gtsam.Rot3.Yaw(0.3), np.array([466123.457, 5429876.543, 331.123]))
second = first.compose(gtsam.Pose3(gtsam.Rot3(), np.array([1.234567, 0.0, 0.0])))
values, graph = gtsam.Values(), gtsam.NonlinearFactorGraph()
for key, pose in enumerate((first, second)):
    values.insert(key, pose)
noise = gtsam.noiseModel.Diagonal.Sigmas(np.full(6, 0.1))
graph.add(gtsam.BetweenFactorPose3(0, 1, first.between(second), noise))
gtsam.writeG2o(graph, values, path)
print(open(path).read().splitlines()[0])

graph, values = gtsam.readG2o(path, True)
off_m = np.linalg.norm(values.atPose3(0).translation() - first.translation())
moved_m = np.linalg.norm(values.atPose3(1).translation() - values.atPose3(0).translation())
misfit = graph.error(values)
print(f'{off_m:.3f} m off; {moved_m:.3f} m instead of 1.235 m to the next; error {misfit:.1f}')
sys.exit(not (3 < off_m < 4 and moved_m > 1.5 and misfit > 1))
PYTHON
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check gtsam==4.3.0 numpy==2.2.6
"$work/venv/bin/python" "$work/write.py" "$work/graph.g2o"
