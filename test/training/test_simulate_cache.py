# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check which worlds are cached, and one drive of them."""

from pathlib import Path

import pytest
from ssd_ros.simulator.config import DEMO_SEED, TEST_SEEDS
from ssd_ros.training.bev_cache import load_drive, Spacing
from ssd_ros.training.config import TrainingConfig
from ssd_ros.training.simulate_cache import (
    DriveTask,
    main,
    simulate_drive,
    training_tasks,
    validation_tasks,
)


def test_training_validation_test_and_demo_share_no_world() -> None:
    training = {task.seed for task in training_tasks(10_000, 2)}
    validation = {task.seed for task in validation_tasks(10_000, 3)}
    assert training.isdisjoint(validation)
    assert (training | validation).isdisjoint({*TEST_SEEDS, DEMO_SEED})


def test_only_the_first_session_of_validation_is_mapped() -> None:
    spacings = [task.spacing.panorama_m for task in validation_tasks(1, 3)]
    assert spacings == [2.0, None, None]


def test_a_simulated_drive_lands_in_the_cache(tmp_path: Path) -> None:
    task, preprocessing = DriveTask(0, 1, Spacing(150.0, 150.0)), TrainingConfig().preprocessing
    assert simulate_drive(task, tmp_path, preprocessing) == 'Sim_Town_0000/02'
    drive = load_drive(tmp_path / '0000_1', preprocessing)
    assert drive.world == 'Sim_Town_0000'
    # A lap of about 1 km; 150 m are measured as the crow flies.
    assert 3 <= len(drive.student_bevs) <= 7
    assert 3 <= len(drive.panoramas) <= 7
    assert drive.student_bevs.max() > 109
    assert drive.panoramas.max() > 98


def test_the_worlds_of_the_test_cannot_be_asked_for(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match='2'):
        main(['--worlds', 'test', '--out', str(tmp_path)])
