# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every kind of network is asked once it was exported."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.bev.polar_bev import views_of_panorama
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.evaluation.bev_cache import load_drives
from ssd_ros.training.export.command import main as export
from ssd_ros.training.runs.folder import Run
from ssd_ros.training.runs.trainer import Trainer


@pytest.fixture
def exported_card(tiny_cache: Path, tmp_path: Path) -> Callable[..., str]:
    """Return what exports networks whose sensors share all weights, and returns their card."""

    def exported(trainer: Trainer, map_sensor: str, *options: str) -> str:
        run, config = Run(tmp_path / 'run'), trainer.config
        run.start(config, 'simulated radar, made-up worlds', 64)
        run.save_checkpoint(trainer.state())
        arguments = ['--run', str(run.directory), '--cache', str(tiny_cache), '--threads', '1']
        # It refuses models that differ from the networks by 1e-5.
        assert export([*arguments, '--out', str(tmp_path), *options]) == 0
        student = OnnxEncoder(tmp_path / 'student.onnx', 'cpu', expected_sensor='4d')
        teacher = OnnxEncoder(tmp_path / 'teacher.onnx', 'cpu', expected_sensor=map_sensor)
        panorama = load_drives(tiny_cache / 'train', config.preprocessing)[0].panoramas[0]
        views = views_of_panorama(panorama, config.preprocessing.grid, config.network.num_views)
        np.testing.assert_allclose(
            teacher.encode_panorama(panorama), student.encode_batch(views), atol=1e-5
        )
        return (tmp_path / 'README.md').read_text()

    return exported
