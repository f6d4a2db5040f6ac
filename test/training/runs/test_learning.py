# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what a run says about its learning curve."""

from pathlib import Path

import pytest
from ssd_ros.training.runs.command import main
from ssd_ros.training.runs.learning import learning_report


def curve(*recalls: float) -> list[dict[str, float]]:
    """Return metrics with a line of losses before each validation."""
    lines: list[dict[str, float]] = []
    for number, recall in enumerate(recalls, start=1):
        lines.append({'step': 100 * number, 'loss': 1.0})
        lines.append({'step': 100 * number, 'single_session': 0.9, 'multi_session': recall})
    return lines


@pytest.mark.parametrize(
    ('recalls', 'state'),
    [
        # Means of the thirds before the last and of the last: .60, .705.
        ((0.3, 0.5, 0.58, 0.62, 0.70, 0.71), 'rising: +10.5 points'),
        ((0.3, 0.6, 0.70, 0.72, 0.71, 0.72), 'flat: +0.5 points'),
        ((0.3, 0.6, 0.70, 0.72, 0.64, 0.66), 'falling: -6.0 points'),
        ((0.3, 0.5, 0.6, 0.7, 0.7), '5 of 6 validations that a trend takes'),
    ],
)
def test_the_last_third_is_compared_with_the_one_before(
    recalls: tuple[float, ...], state: str
) -> None:
    report = learning_report(curve(*recalls))
    assert report.startswith(f'step {100 * len(recalls)}: validation R@1 0.900 single-session, ')
    assert f'; {state}' in report


def test_the_best_step_is_named() -> None:
    report = learning_report(curve(0.3, 0.5, 0.8, 0.7, 0.6, 0.6, 0.6))
    assert 'best 0.800 at step 300' in report


def test_runs_without_validation_say_nothing() -> None:
    assert learning_report([{'step': 10, 'loss': 1.0}]) == ''


def test_a_run_tells_its_curve_as_often_as_asked_and_goes_on_telling_after_a_stop(
    tmp_path: Path, tiny_cache: Path, tiny_config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ['--cache', str(tiny_cache), '--config', str(tiny_config_file)]
    command += ['--out', str(tmp_path / 'run'), '--steps', '60', '--validations', '6']
    assert main(command) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if 'validation R@1' in line]
    assert [line.partition(':')[0] for line in told] == [f'step {10 * n}' for n in range(1, 7)]
    assert '5 of 6 validations that a trend takes' in told[4]
    assert 'points from the last but one third to the last' in told[5]
