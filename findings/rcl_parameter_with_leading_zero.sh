#!/usr/bin/env bash
# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# In a ROS 2 parameter file a leading zero changes the type as well as the value, digit by digit:
# `007` is the integer 7, `010` the integer 8 (octal), `08` and `019` are the doubles 8.0 and 19.0
# (no octal, so the next guess is a decimal). PyYAML reads the last two as text. A node that declares an integer refuses the double; a list of ids `[007, 008]` cannot be
# loaded at all, for its items are of two types.
# Seen: rcl_yaml_param_parser 9.2.8 (ros-rclpy 7.1.6, Jazzy) and PyYAML 6.0.3. Exits 1 if that has
# changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST ROS_LOG_DIR="$work/log"
cat > "$work/params.yaml" <<'YAML'
reader:
  ros__parameters:
    a: 007
    b: 010
    c: 08
    d: 019
YAML
sed 's/d: 019/d: [007, 008]/' "$work/params.yaml" > "$work/ids.yaml"
cat > "$work/read.py" <<'PYTHON'
import sys
import rclpy
from rclpy.node import Node
import yaml

folder = sys.argv[1]
try:
    rclpy.init(args=['--ros-args', '--params-file', f'{folder}/ids.yaml'])
    refused = ''
except Exception as error:
    refused = ' '.join(str(error).split())
print('[007, 008]:', refused)
rclpy.init(args=['--ros-args', '--params-file', f'{folder}/params.yaml'])
node = Node('reader', automatically_declare_parameters_from_overrides=True)
of_ros = [node.get_parameter(name).value for name in 'abcd']
with open(f'{folder}/params.yaml') as file:
    of_pyyaml = list(yaml.safe_load(file)['reader']['ros__parameters'].values())
print('ROS:', of_ros, 'PyYAML:', of_pyyaml)
same = repr(of_ros) == '[7, 8, 8.0, 19.0]' and of_pyyaml == [7, 8, '08', '019']
sys.exit(not (same and 'Sequence should be of same type' in refused))
PYTHON
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  'ros-rclpy[fastrtps]==7.1.6' PyYAML==6.0.3 numpy==2.2.6
"$work/venv/bin/python" "$work/read.py" "$work"
