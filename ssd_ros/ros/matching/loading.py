# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The model and the maps that the parameters name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ssd_ros.confidence.file import load_confidence, shipped_confidence
from ssd_ros.confidence.model import ConfidenceModel
from ssd_ros.encoders.model_contract import SENSORS
from ssd_ros.encoders.place_encoder import named_encoder, PlaceEncoder
from ssd_ros.maps.cells.database import open_map
from ssd_ros.maps.live_session import LiveSession
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.maps.place_search import require_one_frame
from ssd_ros.ros.parameters.node import NodeParameters
from ssd_ros.user_paths import user_path, user_paths


def load_encoder(parameters: NodeParameters) -> PlaceEncoder:
    """
    Load the student, or the teacher for a spinning radar or to ask by submaps.

    :raise ValueError: it is not an encoder for what is asked, or turns are to make submaps
    :raise OSError: it cannot be read
    """
    asks_submaps = parameters.aggregation.submap > 0
    if asks_submaps and parameters.sensor == 'spinning':
        raise ValueError(
            f'aggregation.submap is {parameters.aggregation.submap:g}, but a spinning radar sees '
            'all around by itself: set it to 0.0'
        )
    sensor = 'spinning' if asks_submaps else parameters.sensor
    given = user_path(parameters.model_path) if parameters.model_path else None
    how = parameters.device, parameters.num_threads, sensor
    return named_encoder(parameters.encoder, given, *how)


def load_maps(
    index_path: str | Sequence[Path], may_be_none: bool = False, confidence_path: str = ''
) -> list[PlaceDatabase]:
    """
    Load maps.

    :param index_path: a list separated by colons, see user_paths, or the paths themselves
    :param may_be_none: an empty list is no error
    :param confidence_path: of a calibration in place of theirs; '' = theirs
    :raise ValueError: one is absent or damaged, they do not belong together, or the calibration
        is of other models or not of their sensor
    :raise OSError: one cannot be read
    """
    paths = user_paths(index_path) if isinstance(index_path, str) else index_path
    if not paths and not may_be_none:
        raise ValueError(
            'no map: set the parameter index_path to a directory made by build_db, '
            'online_index to true, or place_server'
        )
    maps = [open_map(path) for path in paths]
    names = ', '.join(map(str, paths))
    require_one_frame(list(map(str, paths)), maps)
    uuids = [database.info.uuid for database in maps]
    if len(set(uuids)) < len(uuids):
        raise ValueError(f'{names} names a map twice')
    use_calibration(maps, confidence_path)
    return maps


def use_calibration(maps: Sequence[PlaceDatabase], confidence_path: str) -> None:
    """
    Let maps be judged by another calibration than their own.

    :param confidence_path: '' = theirs
    :raise ValueError: it is damaged, of other models or not of their sensor
    """
    for database in maps if confidence_path else ():
        info = database.info
        database.confidence = _given_confidence(
            confidence_path, info.descriptor_space, info.sensor
        )
        if database.confidence is None:
            raise ValueError(
                f'confidence_path: {confidence_path} has no calibration of the models of map '
                f'{info.source or info.uuid} for {info.sensor} maps'
            )


def _given_confidence(path: str, space: str, sensor: str) -> ConfidenceModel | None:
    return load_confidence(user_path(path), space, sensor) if path else None


def new_live_session(encoder: PlaceEncoder, parameters: NodeParameters) -> LiveSession | None:
    """
    Return an empty session if the running drive is to be remembered.

    :raise ValueError: the calibration is damaged or of other models, or the radar spins
    """
    confidence = live_confidence(encoder, parameters)
    if not parameters.online_index:
        return None
    if parameters.sensor == 'spinning':
        raise ValueError(
            'online_index remembers places of a 4D radar: set it to false for a spinning radar'
        )
    return LiveSession(
        encoder.contract.descriptor_size,
        parameters.keyframe_distance,
        confidence,
        encoder.scan_context,
        encoder.contract.num_views,
    )


def live_confidence(encoder: PlaceEncoder, parameters: NodeParameters) -> ConfidenceModel | None:
    """
    Return the calibration of the running drive: that of the parameters, or the installed one.

    :return: None if there is none, or the drive is not to be remembered
    :raise ValueError: that of the parameters is damaged, of other models or for submaps
    """
    path, space = parameters.confidence_path, encoder.contract.descriptor_space
    if parameters.aggregation.submap:
        if path:
            raise ValueError(
                f'confidence_path is {path}, but no calibration knows submaps: leave it empty '
                'with aggregation.submap'
            )
        return None
    if not parameters.online_index:
        return None
    if path and all(_given_confidence(path, space, sensor) is None for sensor in SENSORS):
        raise ValueError(f'confidence_path: {path} has no calibration of the model that is loaded')
    given = _given_confidence(path, space, '4d')
    return given or shipped_confidence(encoder.kind, space, '4d')


def maps_summary(
    maps: Sequence[PlaceDatabase], encoder: PlaceEncoder, parameters: NodeParameters, radar: str
) -> dict[str, Any]:
    """
    Return the content of `~/map_info`.

    :param radar: what the calibrations say of it
    """
    return {
        'frame': parameters.map_frame,
        'query_encoder_digest': encoder.digest,
        'query_provider': encoder.provider,
        'online_index': parameters.online_index,
        'radar': radar,
        'query_image': _query_image(encoder),
        'maps': [_summary(database) for database in maps],
    }


def _query_image(encoder: PlaceEncoder) -> dict[str, float] | None:
    """Return what `~/bev` shows; None of images that are not polar."""
    preprocessing = encoder.contract.preprocessing
    if preprocessing.density is not None:
        return None
    grid, is_turn = preprocessing.grid, encoder.contract.sensor != '4d'
    return {'max_range_m': grid.max_range_m, 'fov_deg': 360.0 if is_turn else grid.fov_deg}


def _summary(database: PlaceDatabase) -> dict[str, Any]:
    info, confidence = database.info, database.confidence
    positions_m = database.keyframes.positions_m
    return {
        'uuid': info.uuid,
        'map_id': info.map_id,
        'revision': database.revision,
        'frame': info.map_frame_id,
        'origin': info.origin,
        'sensor': info.sensor,
        'encoder': info.encoder,
        'keyframes': len(database),
        'segments': len(info.segment_starts),
        'views': info.num_views,
        'rows': database.num_rows,
        'pose_misfit_m': info.pose_misfit_m,
        'keyframe_distance_m': info.keyframe_distance_m,
        'bounds_m': [positions_m.min(axis=0).tolist(), positions_m.max(axis=0).tolist()],
        'descriptor_size': database.descriptor_size,
        'descriptor_space': info.descriptor_space,
        'encoder_digest': info.encoder_digest,
        'confidence_threshold': confidence and confidence.threshold,
        'known_radars': confidence and confidence.radars and len(confidence.radars.drives),
        'source': info.source,
        'created': info.created,
        'software_version': info.software_version,
    }
