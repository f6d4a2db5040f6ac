#!/usr/bin/env bash
# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Anybody on the network ends a node of rclpy by setting a parameter to a value whose field `type`
# is none of rcl_interfaces/ParameterType, say 77: the handlers of set_parameters and
# set_parameters_atomically let the error out of spin(). Neither the name nor the parameter has to
# exist.
#   ValueError: 77 is not a valid Parameter.Type
# A read-only parameter or one of a wrong type is answered with `successful: false` and a reason.
# Seen: rclpy 7.1.6 (Jazzy) and 9.1.2 (Kilted) raise. Exits 1 if that has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST ROS_LOG_DIR="$work/log"
cat > "$work/ask.py" <<'PYTHON'
import sys
import rclpy
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import SetParameters, SetParametersAtomically
from rclpy.executors import SingleThreadedExecutor

rclpy.init()
node, user = rclpy.create_node('node'), rclpy.create_node('user')
executor = SingleThreadedExecutor()
executor.add_node(node)
executor.add_node(user)
answers = []
for kind, name in ((SetParameters, 'set_parameters'),
                   (SetParametersAtomically, 'set_parameters_atomically')):
    client = user.create_client(kind, f'/node/{name}')
    client.wait_for_service()
    parameter = Parameter(name='x', value=ParameterValue(type=77))
    reply = client.call_async(kind.Request(parameters=[parameter]))
    try:
        while not reply.done():
            executor.spin_once()
        answers.append('answers')
    except ValueError as error:
        print(error, file=sys.stderr)
        answers.append('raises' if '77 is not a valid Parameter.Type' in str(error) else 'else')
print('a value of type 77:', ', '.join(answers))
sys.exit(answers != ['raises', 'raises'])
PYTHON
for version in 7.1.6 9.1.2; do
  python3 -m venv "$work/$version"
  "$work/$version/bin/pip" install --quiet --disable-pip-version-check \
    "ros-rclpy[fastrtps]==$version" numpy==2.2.6
  "$work/$version/bin/python" "$work/ask.py"
done
