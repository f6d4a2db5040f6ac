# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Procedural drives with a spinning radar, a 4D radar and a LiDAR, reproducible frame by frame.

A `World` (streets, buildings, plants, furniture: scattering centres and what hides them; a town
or a place that repeats itself) is driven through in a `Session` (parked cars, changes, traffic,
weather, the drive), which a `SimulatedSequence` turns into scans and clouds. Both radars see the
same scatterers, each with its own aspect, fluctuation, occlusion, resolution and noise; the LiDAR
sees what hides things from them.

Not modelled: terrain, bridges, mirrored multipath (only the double bounce and random ghosts; a
tunnel is its walls), Doppler ambiguity, dry snow and snow that lies, stops at traffic lights. Wet
snow is simple: more loss than in rain, weak echoes close by, slush on the cover of the 4D radar.
"""
