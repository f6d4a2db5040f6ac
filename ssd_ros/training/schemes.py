# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names of the ways to distil, for the command line as well: nothing heavy is imported here."""

# Those that compare feature maps, each where it says so; `relational` compares descriptors.
SPATIAL_SCHEMES = ('uniform', 'teacher_only', 'joint_only', 'feature_mask', 'ssd')
SCHEMES = ('none', *SPATIAL_SCHEMES, 'relational')
