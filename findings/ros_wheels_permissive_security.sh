#!/usr/bin/env bash
# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# SROS2's strategy Permissive is to start a node without security where its credentials are missing.
# With the ROS 2 wheels it cannot start any: their Fast DDS is built without the security plugins,
# and where the credentials ARE there no node can be made, under Permissive as under Enforce. So a
# keystore that works with the packages of apt stops the same program on wheels, and taking the
# keystore away makes it run, unsecured.
#   error creating node: This Fast DDS version doesn't have the security libraries
# Seen: ros-rclpy 7.1.6, ros-fastrtps 2.14.5 (Jazzy). Exits 1 if that has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST ROS_LOG_DIR="$work/log"
export ROS_SECURITY_ENABLE=true ROS_SECURITY_STRATEGY=Permissive
enclave="$work/keystore/enclaves/talker"
mkdir -p "$enclave"
# The files that rcl looks for; DDS never comes to read them.
touch "$enclave"/{identity_ca.cert.pem,cert.pem,key.pem,permissions_ca.cert.pem,governance.p7s,permissions.p7s}
cat > "$work/node.py" <<'PYTHON'
import rclpy
from rclpy.node import Node

rclpy.init(args=['--ros-args', '--enclave', '/talker'])
try:
    Node('talker')
    print('started')
except Exception as error:
    print('security libraries' if 'have the security libraries' in str(error) else error)
PYTHON
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'ros-rclpy[fastrtps]==7.1.6' numpy==2.2.6
with_keys=$(ROS_SECURITY_KEYSTORE="$work/keystore" "$work/venv/bin/python" "$work/node.py" 2> "$work/with.log")
without=$(ROS_SECURITY_KEYSTORE="$work/nowhere" "$work/venv/bin/python" "$work/node.py" 2> "$work/without.log")
echo "with credentials: $with_keys; without: $without"
[ "$with_keys" = 'security libraries' ] && [ "$without" = started ]
