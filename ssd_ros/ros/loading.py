# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The model and the map that the parameters name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ssd_ros.encoder import OnnxEncoder
from ssd_ros.place_database import PlaceDatabase
from ssd_ros.ros.parameters import NodeParameters
from ssd_ros.shared_files import shared_file


def load_encoder(parameters: NodeParameters) -> OnnxEncoder:
    """
    Load the student.

    :raise ValueError: it is not a model for 4D radar
    :raise OSError: it cannot be read
    """
    path = Path(parameters.model_path or shared_file('models/student.onnx'))
    return OnnxEncoder(path, parameters.device, parameters.num_threads, expected_sensor='4d')


def load_map(index_path: str) -> PlaceDatabase:
    """
    Load the map.

    :raise ValueError: there is none, or it is damaged
    :raise OSError: it cannot be read
    """
    if not index_path:
        raise ValueError('no map: set the parameter index_path to a directory made by build_db')
    return PlaceDatabase.load(Path(index_path))


def map_summary(database: PlaceDatabase, encoder: OnnxEncoder, map_frame: str) -> dict[str, Any]:
    """Return the content of `~/map_info`."""
    info = database.info
    positions_m = database.keyframes.positions_m
    return {
        'uuid': info.uuid,
        'map_id': info.map_id,
        'frame': map_frame,
        'origin': info.origin,
        'keyframes': len(database),
        'views': info.num_views,
        'rows': database.num_rows,
        'keyframe_distance_m': info.keyframe_distance_m,
        'bounds_m': [positions_m.min(axis=0).tolist(), positions_m.max(axis=0).tolist()],
        'descriptor_size': database.descriptor_size,
        'descriptor_space': info.descriptor_space,
        'map_encoder_digest': info.encoder_digest,
        'query_encoder_digest': encoder.digest,
        'source': info.source,
        'created': info.created,
        'software_version': info.software_version,
    }
