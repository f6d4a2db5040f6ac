# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names of the ways to distil, for the command line as well: nothing heavy is imported here."""

# Those that compare feature maps, each where it says so.
SPATIAL_SCHEMES = ('uniform', 'teacher_only', 'joint_only', 'feature_mask', 'ssd')
# 4DRaL's, alone and together: images are redrawn, features imitated, descriptors related.
FOURDRAL_SCHEMES = ('enhancement', 'imitation', 'relational', '4dral')
# Of imitated features, see losses/imitation.py.
DIVERGENCES = ('bernoulli', 'elementwise', 'channel', 'spatial', 'all', 'mse')
SCHEMES = ('none', *SPATIAL_SCHEMES, *FOURDRAL_SCHEMES)
