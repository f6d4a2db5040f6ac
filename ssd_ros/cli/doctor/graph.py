# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The examination of a running graph: it is recorded for a while, and the recording examined."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import tempfile

from ssd_ros.cli.doctor.examination import Examination
from ssd_ros.cli.doctor.findings import Finding, GOOD, MEND, NOTE
from ssd_ros.datasets.bags.rosbag2_writer import BAG_FOLDER
from ssd_ros.packages import require
from ssd_ros.ros.messages.topics import NODE
from ssd_ros.targets import check_folder

NAME = 'the running graph'
_TF = ('/tf', '/tf_static')


@contextmanager
def examined_graph(
    arguments: argparse.Namespace, say: Callable[[str], None]
) -> Iterator[Examination]:
    """
    Listen, and examine what was heard.

    :param arguments: `seconds` to listen, `record`: where to keep it, None = nowhere
    :raise ValueError: the parameters cannot be used
    :raise OSError: the recording cannot be written
    """
    require('rclpy')
    from ssd_ros.ros.companions.graph_recorder import Heard, record_graph

    def findings_of(heard: Heard) -> Iterator[Finding]:
        domain = os.environ.get('ROS_DOMAIN_ID', '0')
        text = f'{heard.num_topics} topics in ROS domain {domain}'
        if not heard.counts:
            hint = (
                'nobody sends radar, odometry or TF: is the driver running, on this machine or '
                'network and with the same ROS_DOMAIN_ID?'
            )
            yield Finding(MEND, 'graph', f'{text}, but {hint}')
        else:
            yield Finding(GOOD, 'graph', f'{text}, {sum(heard.counts.values())} messages heard')
        for name, reason in heard.unknown.items():
            level = NOTE if name in _TF else MEND
            yield Finding(level, 'graph', f'{name} cannot be heard: {reason}')
        for name in heard.silent:
            hint = 'is its publisher running, or stuck?'
            yield Finding(NOTE, 'graph', f'nothing came on {name}: {hint}')
        if heard.has_clock:
            yield Finding(NOTE, 'graph', '/clock is published: use_sim_time is to be true')
        if heard.is_localized:
            yield Finding(NOTE, 'graph', f'{NODE} runs already')

    if arguments.record is not None:
        check_folder(arguments.record, BAG_FOLDER)
    with tempfile.TemporaryDirectory() as folder:
        arguments.input = arguments.record or Path(folder) / 'graph'
        say(f'listening for {arguments.seconds:.0f} s; drive meanwhile, if you can ...')
        heard = record_graph(arguments.input, arguments.seconds)
        examination = Examination(arguments, say)
        examination.settings.use_sim_time = heard.has_clock
        examination.add_all(findings_of(heard))
        if heard.counts:
            examination.run()
        yield examination
