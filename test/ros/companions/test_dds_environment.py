# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that no two callers share a ROS domain."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from ssd_ros.ros.companions import dds_environment
from ssd_ros.ros.companions.dds_environment import DOMAIN_IDS, isolated_dds

PROFILE = Path('profile.xml')


def test_callers_get_different_domains() -> None:
    with ExitStack() as stack:
        variables = [stack.enter_context(isolated_dds(PROFILE)) for _ in range(10)]
        taken = {int(values['ROS_DOMAIN_ID']) for values in variables}
        assert len(taken) == 10
        assert taken <= set(range(1, 101))


def test_when_all_domains_are_taken_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dds_environment, 'DOMAIN_IDS', range(99, 101))
    # Two domains at most: another test run may hold one of them.
    with (
        ExitStack() as stack,
        pytest.raises(OSError, match=r'all ROS domains 99 \.\. 100 are taken'),
    ):
        list(map(stack.enter_context, (isolated_dds(PROFILE) for _ in range(3))))


def test_a_domain_is_free_again_after_the_block() -> None:
    for _ in range(len(DOMAIN_IDS) + 1):
        with isolated_dds(PROFILE) as variables:
            assert variables['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'
            assert variables['FASTRTPS_DEFAULT_PROFILES_FILE'] == 'profile.xml'
            assert variables['FASTDDS_DEFAULT_PROFILES_FILE'] == 'profile.xml'
