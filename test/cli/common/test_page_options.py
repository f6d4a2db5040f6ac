# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Give `view` and `replay --live` hosts and nodes that cannot be."""

from __future__ import annotations

import pytest
from ssd_ros.cli.view.command import main, parser


@pytest.mark.parametrize(
    ('given', 'reason'),
    [
        (['--host', ''], "'' is no address; 0.0.0.0 = all of this machine"),
        (['--port', '70000'], '70000 is no port'),
        (['--node', ''], "'' is no name of a node"),
        (['--node', 'two words'], "'two words' is no name of a node"),
        (['--node', 'car1//localizer'], "'car1//localizer' is no name of a node"),
        (['--node', 'car__1'], "'car__1' is no name of a node"),
        (['--node', '1st'], "'1st' is no name of a node"),
    ],
)
def test_what_nobody_can_look_at_is_wrong_usage(
    given: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(given)
    assert ended.value.code == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize('name', ['ssd_localizer', '/car1/ssd_localizer', 'car1/localizer_2'])
def test_names_of_nodes_are_taken_as_they_are(name: str) -> None:
    assert parser().parse_args(['--node', name]).node == name
