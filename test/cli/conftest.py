# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The drives of the papers in small: simulated, in the layout of HeRCULES, with its faults."""

from __future__ import annotations

from pathlib import Path
import shutil

import pytest
from ssd_ros.datasets.formats.hercules import write_hercules
from ssd_ros.datasets.formats.hercules_split import PAPERS_SPLIT
from ssd_ros.simulator.config import PRESETS, UNIT_SEED
from ssd_ros.simulator.recordings.sequence import SimulatedSequence
from ssd_ros.simulator.scene.world import World
from ssd_ros.simulator.visits.session import Session


@pytest.fixture(scope='session')
def hercules_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write two simulated drives of 2 s under all names of the papers; do not change them."""
    root = tmp_path_factory.mktemp('hercules')
    world = World(UNIT_SEED, PRESETS['unit'].world)
    written = [
        write_hercules(
            root,
            'drives',
            f'{index}',
            SimulatedSequence(Session(world, index, from_start=True), num_scans=8, num_clouds=40),
        )
        for index in range(2)
    ]
    for places in PAPERS_SPLIT.values():
        for place, numbers in places.items():
            spelt = place.replace('Sports_Complex', 'SportsComplex')
            for number in numbers:
                shutil.copytree(written[number != '01'], root / spelt / number)
    shutil.rmtree(root / 'drives')
    # River Island 02: poses of the 4D radar for the first part alone, the last line cut off.
    poses = root / 'River_Island' / '02' / 'PR_GT' / 'Continental_gt.txt'
    lines = poses.read_text().splitlines()
    poses.write_text('\n'.join([*lines[:12], lines[12][:25]]))
    (root / 'River_Island' / '03' / 'PR_GT' / 'Continental_gt.txt').unlink()
    shutil.rmtree(root / 'Library' / '03')
    return root
