# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m ssd_ros`: the command `ssd_ros` where the package is not installed."""

import sys

from ssd_ros.cli.main import main

sys.exit(main())
