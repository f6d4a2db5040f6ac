# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
A process with RTAB-Map's services: node 42 is that of the query, node 7 lies in the map.

Usage: rtabmap_process.py STAMP_NS OUTPUT; each link is written to OUTPUT, until a signal ends it.
"""

from __future__ import annotations

import json
from pathlib import Path
import sys
from typing import Any

import rclpy
from rtabmap_msgs.msg import Info
from rtabmap_msgs.srv import AddLink, GetMap, GetNodesInRadius
from ssd_ros.ros.messages.conversions import pose_msg, time_msg
from ssd_ros.ros.messages.geometry import pose_from_xyzrpy
from std_msgs.msg import Header

MAP_NODE = pose_from_xyzrpy([9.0, 25.0, 0.0, 0.0, 0.0, 1.5707963])


def main(stamp_ns: int, output: Path) -> None:
    def nodes_in_radius(request: Any, reply: Any) -> Any:
        reply.ids, reply.poses, reply.dists_sqr = [7], [pose_msg(MAP_NODE)], [9.0]
        return reply

    def add_link(request: Any, reply: Any) -> Any:
        link = request.link
        shift = link.transform.translation
        values = {
            'ids': [link.from_id, link.to_id],
            'translation': [shift.x, shift.y, shift.z],
            'information': link.information.tolist(),
        }
        output.write_text(json.dumps(values))
        return reply

    rclpy.init()
    node = rclpy.create_node('rtabmap', namespace='rtabmap')
    node.create_service(AddLink, '~/add_link', add_link)
    node.create_service(GetMap, '~/get_map_data', lambda request, reply: reply)
    node.create_service(GetNodesInRadius, '~/get_nodes_in_radius', nodes_in_radius)
    publisher = node.create_publisher(Info, 'info', 10)
    info = Info(header=Header(stamp=time_msg(stamp_ns)), ref_id=42)
    node.create_timer(0.1, lambda: publisher.publish(info))
    rclpy.spin(node)


if __name__ == '__main__':
    main(int(sys.argv[1]), Path(sys.argv[2]))
