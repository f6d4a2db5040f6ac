# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tell the running node by GNSS where it is, in maps that are in a zone of UTM or are not."""

from __future__ import annotations

from dataclasses import replace
import math
from pathlib import Path
from typing import Any

import pytest
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import NavSatFix
from ssd_ros.maps.cells.writing import converted
from ssd_ros.maps.files import read_map
from ssd_ros.recognition.candidates import from_msg
from support.fleet.served import STREET, write_street
from support.localizer import Localizer, running_localizer
from support.ros import Peer


def tell(localizer: Localizer, publisher: Any, msg: Any) -> None:
    """Publish a prior and wait until it has come."""
    expected = str(int(localizer.values('matching')['prior_messages']) + 1)
    publisher.publish(msg)
    localizer.wait_for_value('matching', lambda values: values['prior_messages'] == expected)


def fix_msg(latitude_deg: float, longitude_deg: float, status: int = 0) -> NavSatFix:
    msg = NavSatFix(latitude=latitude_deg, longitude=longitude_deg, altitude=math.nan)
    msg.status.status = status
    msg.position_covariance = [100.0 if cell in (0, 4, 8) else 0.0 for cell in range(9)]
    msg.position_covariance_type = NavSatFix.COVARIANCE_TYPE_APPROXIMATED
    return msg


@pytest.mark.parametrize('origin', ['', 'UTM 31N'])
def test_gnss_is_taken_in_maps_of_a_zone_of_utm(peer: Peer, tmp_path: Path, origin: str) -> None:
    write_street(tmp_path)
    content = read_map(tmp_path / 'street.map')
    converted(tmp_path / 'zone.map', replace(content, info=replace(content.info, origin=origin)))
    with running_localizer(
        peer, tmp_path, index_path=tmp_path / 'zone.map', prior__source='fix'
    ) as node:
        publisher = peer.speak(NavSatFix, '/fix', qos_profile_sensor_data)
        tell(node, publisher, fix_msg(45.0, 3.0, status=-1))
        assert 'it has no fix (status -1)' in node.status('matching').message
        tell(node, publisher, fix_msg(45.0, 3.0))  # not stamped: by its arrival
        rows = from_msg(node.answer_to(node.send(0, measured=lambda cloud: STREET.cloud(3))))
        message = node.status('matching').message
        if origin:  # its posts are at the zero of the zone, 4983 km away
            assert len(rows) == 0
            assert 'about (500000.0, 4982950.4), where /fix says' in message
            tell(node, publisher, fix_msg(math.nan, 3.0))
            assert 'no place on Earth' in node.status('matching').message
        else:
            assert rows[0]['keyframe_id'] == 3
            assert 'no map says in which zone of UTM it is: build it with --origin' in message
        assert node.values('inference')['failed'] == '0'
