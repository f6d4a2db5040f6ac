# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
import sys

from ssd_ros.cli.serve.command import main

sys.exit(main())
