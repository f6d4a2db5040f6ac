# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Commands; each module has `main(argv) -> int` and runs with `python -m`."""
