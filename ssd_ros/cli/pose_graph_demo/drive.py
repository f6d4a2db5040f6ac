# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The drive of `pose_graph_demo`: several simulated laps with drifting odometry, as a rosbag2."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
import json
import math
from pathlib import Path
from typing import Any

from ssd_ros.cli.common.progress import progress_bar
from ssd_ros.cli.common.settings_file import read_settings
from ssd_ros.datasets.bags.rosbag2_writer import BAG_FOLDER, write_rosbag2
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.pose_graph.trajectory_files import read_tum, write_tum
from ssd_ros.simulator.config import PRESETS
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.recordings.odometry import drifting_odometry, OdometryDrift
from ssd_ros.simulator.recordings.sequence import SimulatedSequence
from ssd_ros.simulator.scene.world import World
from ssd_ros.simulator.visits.session import Session
from ssd_ros.targets import check_files, check_folder, write_json

_SESSION = 2  # `demo` maps the first and plays the second
_RATES_HZ = {'demo': 20.0, 'unit': 5.0}


@dataclass(frozen=True, slots=True)
class LapsDrive:
    """
    What is driven.

    :param preset: 'demo' is the world of the command `demo`, 'unit' a smaller one with fewer scans
    :param laps: of its route
    """

    preset: str = 'demo'
    laps: float = 3.0
    drift: OdometryDrift = field(default_factory=OdometryDrift)

    def settings(self) -> dict[str, Any]:
        """Return all that is needed to simulate the drive again."""
        return {'simulated': True, 'session': _SESSION, **asdict(self)}

    def simulate(self) -> tuple[SimulatedSequence, Trajectory]:
        """Build the world; return the drive and its odometry, which starts at the origin."""
        preset = PRESETS[self.preset]
        (seed,) = preset.seeds
        num_laps = math.ceil(self.laps)
        session = Session(World(seed, preset.world), _SESSION, num_laps=num_laps)
        sequence = SimulatedSequence(
            session, cloud_rate_hz=_RATES_HZ[self.preset], part=(0.0, self.laps / num_laps)
        )
        rng = stream(seed, 'odometry', _SESSION)
        return sequence, drifting_odometry(sequence.cloud_poses, rng, self.drift)


def prepared_drive(
    drive: LapsDrive, output: Path, is_fresh: bool = False
) -> tuple[Path, Trajectory]:
    """
    Write the drive, unless it is there; return the bag and the true poses of the radar.

    :param is_fresh: simulate again what is there
    :raise ValueError: another drive stands in the way
    """
    bag, truth, settings = output / 'bag', output / 'truth.tum', output / 'drive.json'
    check_folder(bag, BAG_FOLDER)
    check_files([truth, settings])
    wanted = json.loads(json.dumps(drive.settings()))  # tuples become lists
    if settings.is_file() and not is_fresh:
        if read_settings(settings) != wanted:
            raise ValueError(f'{output} holds another drive: choose another --output or --fresh')
        return bag, read_tum(truth)
    sequence, odometry = drive.simulate()
    num_messages = 3 * len(odometry)  # clouds, odometry, true poses
    with progress_bar('simulate', 'message') as progress:
        write_rosbag2(
            bag,
            sequence,
            with_scans=False,
            odometry=odometry,
            progress=lambda done: progress(done, num_messages),
        )
    write_tum(truth, sequence.cloud_poses)
    write_json(settings, wanted)
    return bag, sequence.cloud_poses
