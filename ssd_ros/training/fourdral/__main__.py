# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run the command."""

import sys

from ssd_ros.training.fourdral.command import main

sys.exit(main())
