# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Watch a node over DDS that says what none of ours does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
import json
import threading

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from ssd_ros.ros.companions.first_pose import watch_node
from std_msgs.msg import String
from support.localizer import LATCHED, NODE
from support.ros import Peer


def test_what_is_no_message_of_ours_ends_nothing(peer: Peer) -> None:
    said: list[str] = []
    is_over = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        watched = pool.submit(watch_node, 60, said.append, lambda: not is_over.is_set())
        infos = peer.speak(String, f'{NODE}/map_info', LATCHED)
        health = peer.speak(DiagnosticArray, '/diagnostics')
        values = [KeyValue(key='rate_hz', value='often')]
        odd = DiagnosticStatus(name=f'{NODE.strip("/")}: input', values=values)
        for text in ('7', '{}', '{"maps": [{"keyframes": "many"}]}', '[' * 100_000):
            infos.publish(String(data=text))
        health.publish(DiagnosticArray(status=[odd]))
        values[0].value = '19.5'
        health.publish(DiagnosticArray(status=[odd]))
        maps = {'maps': [{'keyframes': 30}, {'keyframes': 12}]}
        peer.wait(lambda: said or watched.done(), 'the rate')
        infos.publish(String(data=json.dumps(maps)))
        peer.wait(lambda: len(said) > 1 or watched.done(), 'the maps')
        is_over.set()
        assert watched.result().keyframes == 42
    assert said == [
        'scans come, 19.5 a second, no static points in the window',
        'the node is up, with 42 keyframes of 2 map(s)',
    ]
