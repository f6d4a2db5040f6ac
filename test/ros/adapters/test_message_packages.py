# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that packages made of test/interfaces are messages like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from geometry_msgs.msg import TransformStamped
import pytest
from std_msgs.msg import Header
from support import message_packages
from support.adapters import Pair

pytestmark = pytest.mark.usefixtures('built_messages')


def test_a_transform_goes_over_tf(pair: Pair) -> None:
    from tf2_msgs.msg import TFMessage

    heard: list[Any] = []
    pair.host.create_subscription(TFMessage, '/tf', heard.append, 10)
    publisher = pair.speak(TFMessage, '/tf')
    sent = TransformStamped(header=Header(frame_id='base_link'), child_frame_id='radar')
    sent.transform.translation.x = 3.5
    publisher.publish(TFMessage(transforms=[sent]))
    pair.wait(lambda: heard, 'the transform')
    assert heard[0].transforms == [sent]


def test_the_types_are_those_of_the_back_ends(pair: Pair) -> None:
    """By the hashes that DDS tells others, which a field more or less would change."""
    from bond.msg import Status
    from rtabmap_msgs.msg import Info, MapData

    expected = {Info: '2baf894b8c68d22b', MapData: '4b8c747c152724ea', Status: '87eaccffa254ffff'}
    for kind, begin in expected.items():
        topic = f'/{kind.__name__.lower()}'
        pair.host.create_publisher(kind, topic, 1)
        (info,) = pair.host.get_publishers_info_by_topic(topic)
        assert str(info.topic_type_hash).startswith(f'RIHS01_{begin}')


def test_packages_are_made_once() -> None:
    folder = message_packages.built_packages()
    before = (folder / 'rtabmap_msgs' / '__init__.py').stat().st_mtime_ns
    assert message_packages.built_packages() == folder
    assert (folder / 'rtabmap_msgs' / '__init__.py').stat().st_mtime_ns == before


def test_a_machine_without_a_compiler_is_told_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv('PATH', '')
    monkeypatch.setattr(message_packages, 'BUILT', tmp_path)
    with pytest.raises(message_packages.CannotBuildError, match='gcc is not installed'):
        message_packages.built_packages()
