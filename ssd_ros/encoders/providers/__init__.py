# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What computes a network, ONNX Runtime or OpenVINO, and what this machine has of it."""
