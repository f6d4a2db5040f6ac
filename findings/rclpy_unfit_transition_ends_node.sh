#!/usr/bin/env bash
# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Anybody on the network ends a lifecycle node of rclpy by asking it for a transition that its state
# does not have: a second lifecycle manager, `configure` of a configured node, an id that does not
# exist. The handler of the service change_state lets the error of rcl out of spin():
#   RCLError: Failed to trigger lifecycle state machine transition: Transition is not registered.
# The same transition asked for by its label is answered with `success: false`, as by rclcpp.
# Seen: rclpy 7.1.6 (Jazzy) raises, 9.1.2 (Kilted) answers. Exits 1 if that has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST ROS_LOG_DIR="$work/log"
cat > "$work/ask.py" <<'PYTHON'
import sys
import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode

rclpy.init()
node, manager = LifecycleNode('managed'), rclpy.create_node('manager')
executor = SingleThreadedExecutor()
executor.add_node(node)
executor.add_node(manager)
client = manager.create_client(ChangeState, '/managed/change_state')
client.wait_for_service()
answers = []
for transition in (Transition(label='activate'), Transition(id=3), Transition(id=99)):
    reply = client.call_async(ChangeState.Request(transition=transition))
    try:
        while not reply.done():
            executor.spin_once()
        answers.append(f'success={reply.result().success}')
    except Exception as error:
        print(error, file=sys.stderr)
        answers.append('raises' if 'Transition is not registered' in str(error) else 'else')
print('label activate, id 3, id 99 of an unconfigured node:', ', '.join(answers))
sys.exit(answers != sys.argv[1:])
PYTHON
for version in 7.1.6 9.1.2; do
  python3 -m venv "$work/$version"
  "$work/$version/bin/pip" install --quiet --disable-pip-version-check \
    "ros-rclpy[fastrtps]==$version" ros-lifecycle-msgs numpy==2.2.6
done
"$work/7.1.6/bin/python" "$work/ask.py" success=False raises raises
"$work/9.1.2/bin/python" "$work/ask.py" success=False success=False success=False
