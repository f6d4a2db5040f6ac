# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what the comparison of recipes prints; how fast they are is not for a test."""

from pathlib import Path

import pytest
from ssd_ros.training.bench.recipes import Cost, main, table


def test_the_table_has_the_ratios_to_the_first_recipe() -> None:
    lines = list(table({'old': Cost(0.012, 0.060, 10.0), 'new': Cost(0.003, 0.030, 35.0)}))
    assert lines[1].split() == ['old', '12.00', '(', '1.00)', '60.00', '(', '1.00)', '10.00',
                                '(', '1.00)']  # fmt: skip
    assert lines[2].split() == ['new', '3.00', '(', '0.25)', '30.00', '(', '0.50)', '35.00',
                                '(', '3.50)']  # fmt: skip


def test_a_recipe_is_measured_on_all_that_it_does(
    tiny_config_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cheap = tmp_path / 'cheap.yaml'
    cheap.write_text(
        tiny_config_file.read_text().replace(
            'network:', 'network:\n  stem: patches\n  block: merged'
        )
    )
    assert main([str(cheap), '--runs', '1']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[1].startswith(str(cheap))
    assert lines[1].count('( 1.00)') == 3


def test_a_recipe_that_is_none_is_one_line_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / 'wrong.yaml'
    path.write_text('colour: red')
    assert main([str(path)]) == 1
    assert 'unknown option colour' in capsys.readouterr().err
