# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What the node says in its diagnostics and its log when something is wrong, each with a hint.

The documentation has an entry for each: resource/docs/guide/troubleshooting.md.
"""

from __future__ import annotations

from ssd_ros.recognition.decision import SUBMAP_QUERIES, UNLIKE_RADAR, WRONG_MAP_POSES

NOT_ACTIVE = 'the node is not active'
NO_MESSAGE = (
    'no message on {topic} for {silent_s:.0f} s: is the driver running, and its QoS compatible?'
)
NONE_USABLE = 'no message was usable: {error}'
SOME_UNUSABLE = 'some messages were not usable: {error}'
DOPPLER_OPPOSITE = 'Doppler runs against odometry: is doppler_sign wrong, or the yaw of the radar?'
MISALIGNED = (
    'the 4D radar {words}: add {correction_rad:+.4f} rad to its yaw in radar_extrinsics, or in '
    'the static transform of {frame}'
)
FEW_POINTS = 'few points: {points} in the window'
LOW_RATE = 'low rate: {rate_hz:.1f} Hz: does the driver or the network lose messages?'
QUERY_FAILED = 'a query failed: {error}'
TOO_SLOW = (
    'queries take all the time, {share:.0%} of it: scans are left out; lower query_rate or '
    'top_k, or raise num_threads'
)
NOTHING_ACCEPTED = (
    'none of the last {queries} queries was accepted: is the vehicle in the map, and the map of '
    'this radar and mounting?'
)
UNKNOWN_PLACES = (
    '{share:.0%} of the queries resemble no place of the map: outside of it, or another radar, '
    'mounting or driver than the model knows?'
)
AGAINST_ODOMETRY = (
    'only {share:.0%} of the accepted places agree with the odometry: does the odometry jump, or '
    'are base_frame and radar_extrinsics wrong? Raise accept.min_confidence'
)
RADAR_AT_RISK = (
    'this radar is unlike those the calibration knows: {difference}: accept.risk_unknown_radar '
    'accepts it all the same'
)
MAP_POSES_AT_RISK = (
    'the poses of map {name} disagree with its returns by {misfit_m:.2f} m between neighbouring '
    'keyframes (median; at most {limit_m:.1f}): accept.risk_map_poses accepts it all the same'
)
SQUARES_LOST = (
    'a part of map {name} cannot be read, the rest is searched: {problems}; copy the whole map '
    'again'
)
PRIOR_LEFT_OUT = 'a message on {topic} was left out: {reason}'
PRIOR_STALE = (
    'a message on {topic} was {age_s:.3g} s off the scans and left out: do both come from one '
    'clock? See prior.max_age'
)
PRIOR_OUTSIDE = (
    'nothing of the map is within {prior}, where {topic} says the vehicle is: is it in this map, '
    'and the message in its frame?'
)
PLACE_SERVER_SILENT = (
    'the place server {address} gives no answer: {error}; is it running, and its map of these '
    'models and this frame?'
)
PLACE_SERVER_REFUSES = (
    'the place server {address} refuses and is asked again later: {error}; start several behind a '
    'proxy if that lasts'
)
SUBMAPS_AT_RISK = (
    'asked by submaps, which no calibration knows: accept.risk_submaps accepts it all the same'
)
NOTHING_REMEMBERED = (
    'the running drive is not remembered: no odometry for the scans on {topic} or in TF'
)
STAMPED_BY_ARRIVAL = (
    'stamps of {name} are {apart_s:.3g} s {side}: all inputs are stamped by their arrival from '
    'now on, see stamp_source and max_stamp_skew{hint}'
)
CONSTANT_OFFSET = (
    'stamps of radars and odometry are {apart_s:.3g} s {side}, all by the same, and believed: set '
    'stamp_offset to {offset_s:.1f}, or use_sim_time or stamp_source header for a bag'
)
ODOMETRY_LEFT_OUT = 'some odometry was left out: {error}'
SESSION_FULL = (
    'the running drive is full with {keyframes} keyframes: what follows is matched but not '
    'remembered'
)
ODOMETRY_BEGAN_ANEW = (
    'odometry began anew at {stamp_s:.3f} s: segment {segment}, not related to those before'
)
# These are logged.
TURN_TILTED = (
    'the spinning radar is mounted tilted by {tilt_deg:.0f} degrees: a turn cannot be levelled; '
    'is its mounting stated right?'
)
STAMP_IN_DOUBT = (
    'stamp {stamp_s:.3f} s is far from those before: held until the next ones tell which is right'
)
STAMP_LATE = 'stamp {stamp_s:.3f} s came late: left out'
STAMP_AHEAD = 'stamp {stamp_s:.3f} s was ahead of those that followed: left out'
STAMP_IMPOSSIBLE = 'stamp {stamp_s:.3f} s cannot be: left out'
CLOCK_SET = 'the clock of {name} was set by {step_s:+.3f} s: the drive goes on'
TIME_WENT_BACK = 'time went back to {stamp_s:.3f} s: started a new window of scans'
ODOMETRY_MISSED = (
    'no odometry around a scan at {stamp_s:.3f} s, the newest is of {apart_s:.3g} s {side}: does '
    'it come often enough, and do its stamps and those of the radar come from one clock?'
)
ODOMETRY_FRAME = (
    'odometry has {field} {found!r}, {parameter} is {expected!r}: its poses are taken for those '
    'of base_frame in odom_frame'
)
NOBODY_LISTENS = (
    'nobody subscribes to {topic}: is the back end running, and the topic remapped to its name?'
)
TRANSITION_REFUSED = (
    'the transition {asked} is refused: in state {state} are possible: {possible}; does a second '
    'lifecycle manager, or autostart beside one, ask?'
)
NO_HEARTBEATS = (
    'no heartbeats for a lifecycle manager: {error}; or set its bond_timeout to 0.0 and '
    'bond_heartbeat_period to 0.0'
)
TRANSITION_FAILED = 'cannot {transition}: {error}'
FOREIGN_PARAMETERS = (
    '{path} gives under {key}, to nodes of any name, what this one does not have: {names}'
)
PARAMETER_REFUSED = 'nothing was set: {reason}'
REQUEST_FAILED = 'a request of {service} failed: {error}'
TEXTS = (
    NOT_ACTIVE,
    NO_MESSAGE,
    NONE_USABLE,
    SOME_UNUSABLE,
    DOPPLER_OPPOSITE,
    MISALIGNED,
    FEW_POINTS,
    LOW_RATE,
    QUERY_FAILED,
    TOO_SLOW,
    NOTHING_ACCEPTED,
    UNKNOWN_PLACES,
    AGAINST_ODOMETRY,
    UNLIKE_RADAR,
    RADAR_AT_RISK,
    WRONG_MAP_POSES,
    MAP_POSES_AT_RISK,
    SUBMAP_QUERIES,
    SUBMAPS_AT_RISK,
    SQUARES_LOST,
    PRIOR_LEFT_OUT,
    PRIOR_STALE,
    PRIOR_OUTSIDE,
    PLACE_SERVER_SILENT,
    PLACE_SERVER_REFUSES,
    NOTHING_REMEMBERED,
    STAMPED_BY_ARRIVAL,
    CONSTANT_OFFSET,
    ODOMETRY_LEFT_OUT,
    ODOMETRY_BEGAN_ANEW,
    TURN_TILTED,
    STAMP_IN_DOUBT,
    STAMP_LATE,
    STAMP_AHEAD,
    STAMP_IMPOSSIBLE,
    CLOCK_SET,
    TIME_WENT_BACK,
    SESSION_FULL,
    ODOMETRY_MISSED,
    ODOMETRY_FRAME,
    NOBODY_LISTENS,
    TRANSITION_REFUSED,
    NO_HEARTBEATS,
    TRANSITION_FAILED,
    FOREIGN_PARAMETERS,
    PARAMETER_REFUSED,
    REQUEST_FAILED,
)
