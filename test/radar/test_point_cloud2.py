# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the decoder against the layouts that real radar drivers send."""

from __future__ import annotations

from pathlib import Path
import tracemalloc
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings, strategies
import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.radar.point_cloud2 import (
    ARS548_FIELDS,
    decode_point_cloud2,
    DecoderConfig,
    DecodeStats,
    encode_point_cloud2,
    PointCloudError,
)
from ssd_ros.radar.point_fields import checked_bytes, view_of_points
from ssd_ros.radar.types import RadarPointCloud
from support.drivers.messages import DATATYPES, Layout, message

DETECTIONS = Path(__file__).parents[1] / 'data' / 'ars548' / 'detections.csv'
UPO: Layout = [
    ('x', 0, 'f4'),
    ('y', 4, 'f4'),
    ('z', 8, 'f4'),
    ('v', 12, 'f4'),
    ('r', 16, 'f4'),
    ('RCS', 20, 'i1'),
    ('azimuth', 21, 'f4'),
    ('elevation', 25, 'f4'),
]
NEBULA: Layout = [
    ('x', 0, 'f4'),
    ('y', 4, 'f4'),
    ('z', 8, 'f4'),
    ('azimuth', 16, 'f4'),
    ('azimuth_std', 20, 'f4'),
    ('elevation', 24, 'f4'),
    ('range', 32, 'f4'),
    ('range_rate', 40, 'f4'),
    ('rcs', 48, 'i1'),
    ('positive_predictive_value', 52, 'u1'),
]
NCUT: Layout = [
    ('x', 0, 'f4'),
    ('y', 4, 'f4'),
    ('z', 8, 'f4'),
    ('intensity', 12, 'i1'),
    ('doppler', 13, 'f4'),
    ('classification', 17, 'u1'),
]
TI: Layout = [
    ('x', 0, 'f4'),
    ('y', 4, 'f4'),
    ('z', 8, 'f4'),
    ('intensity', 16, 'f4'),
    ('velocity', 20, 'f4'),
]
ALTOS: Layout = [
    ('x', 0, 'f4'),
    ('y', 4, 'f4'),
    ('z', 8, 'f4'),
    ('h', 16, 'f4'),
    ('s', 20, 'f4'),
    ('v', 24, 'f4'),
]
SRR520: Layout = [
    ('range', 0, 'f4'),
    ('azimuth', 4, 'f4'),
    ('range_rate', 8, 'f4'),
    ('rcs', 12, 'f4'),
]

# Columns of the two points that most messages below hold: (3, 4, 0) and (10, -5, 1).
TWO_POINTS: dict[str, list[float]] = {
    'x': [3, 10],
    'y': [4, -5],
    'z': [0, 1],
    **{name: [-2.5, 1.5] for name in ('v', 'doppler', 'range_rate', 'velocity')},
    **{name: [-20, 30] for name in ('rcs', 'RCS', 'intensity')},
}


def assert_two_points(msg: Any, config: DecoderConfig | None = None) -> None:
    cloud, stats = decode_point_cloud2(msg, config)
    np.testing.assert_array_equal(cloud.xyz_m, [[3, 4, 0], [10, -5, 1]])
    np.testing.assert_array_equal(cloud.rcs_dbsm, [-20, 30])
    np.testing.assert_array_equal(cloud.radial_velocity_mps, [-2.5, 1.5])
    assert cloud.xyz_m.dtype == cloud.rcs_dbsm.dtype == np.float32
    assert stats == DecodeStats(2)


@pytest.mark.parametrize('order', ['<', '>'])
@pytest.mark.parametrize(('layout', 'step'), [(UPO, 29), (NEBULA, 64), (NCUT, 18)])
def test_the_layouts_of_ars548_drivers_decode_alike(layout: Layout, step: int, order: str) -> None:
    assert_two_points(message(layout, step, TWO_POINTS, order))


def test_the_stamp_and_the_frame_are_passed_on() -> None:
    cloud = decode_point_cloud2(message(UPO, 29, TWO_POINTS)).cloud
    assert (cloud.stamp_ns, cloud.frame_id) == (12_000_000_034, 'radar')


def test_a_zero_stamp_and_an_empty_frame_stay_so_that_the_node_can_decide() -> None:
    msg = message(TI, 32, TWO_POINTS)
    msg.header = SimpleNamespace(stamp=SimpleNamespace(sec=0, nanosec=0), frame_id='')
    cloud = decode_point_cloud2(msg).cloud
    assert (cloud.stamp_ns, cloud.frame_id) == (0, '')


def test_recorded_messages_decode_like_live_ones() -> None:
    msg = message(UPO, 29, TWO_POINTS)
    msg.data = np.frombuffer(msg.data, np.uint8)
    assert_two_points(msg)


def test_the_median_of_a_field_in_db_over_noise_becomes_2_dbsm() -> None:
    msg = message(TI, 32, {**TWO_POINTS, 'intensity': [12, 22]})
    cloud, stats = decode_point_cloud2(msg, DecoderConfig(intensity_kind='power_db'))
    assert cloud.rcs_dbsm.tolist() == [-3, 7]
    assert stats.intensity_kind == 'power_db'


def test_an_intensity_of_unknown_unit_gets_the_rcs_of_its_rank() -> None:
    columns = {name: [1] * 5 for name in ('x', 'y', 'z', 'velocity')}
    columns['intensity'] = [1, 1000, 10, 3, 10]
    cloud, stats = decode_point_cloud2(message(TI, 32, columns | {'x': [1, 2, 3, 4, 5]}))
    assert stats.intensity_kind == 'raw'
    # Ranks 10, 90, 60, 30 and 60 % of a real list.
    np.testing.assert_allclose(cloud.rcs_dbsm, [-13, 16, 5, -4, 5], atol=1e-5)


def test_intensity_is_taken_as_dbsm_if_told_so() -> None:
    msg = message(TI, 32, {**TWO_POINTS, 'intensity': [12, 22]})
    cloud = decode_point_cloud2(msg, DecoderConfig(intensity_kind='rcs_dbsm')).cloud
    assert cloud.rcs_dbsm.tolist() == [12, 22]


def test_altos_padding_is_dropped_and_square_metres_become_dbsm() -> None:
    columns = {
        'x': [3, 10, 20, 0, 0, 0],
        'y': [4, -5, 1, 0, 0, 0],
        'h': [-2.5, 1.5, 1, 0, 0, 0],  # Doppler
        's': [0.01, 100, 0, 0, 0, 0],  # m^2; none at all has no level
        'v': [1, 1, 0, 0, 0, 0],  # a flag, not a velocity
    }
    cloud, stats = decode_point_cloud2(message(ALTOS, 32, columns))
    np.testing.assert_allclose(cloud.rcs_dbsm, [-20, 20], rtol=1e-6)
    assert cloud.radial_velocity_mps.tolist() == [-2.5, 1.5]
    assert (stats.num_received, stats.num_zero, stats.num_not_finite) == (6, 3, 1)
    assert stats.num_dropped == 4


@pytest.mark.parametrize('count', [0, 2, 800])
def test_a_field_count_other_than_one_is_ignored(count: int) -> None:
    assert_two_points(message(UPO, 29, TWO_POINTS, count=count))


def test_signed_rcs_is_negative_below_zero() -> None:
    columns = {**TWO_POINTS, 'RCS': np.array([0xEC, 0x1E], np.uint8).view(np.int8)}
    assert decode_point_cloud2(message(UPO, 29, columns)).cloud.rcs_dbsm.tolist() == [-20, 30]


def test_of_two_fields_with_one_name_the_first_counts() -> None:
    msg = message(UPO, 29, TWO_POINTS)
    msg.fields.append(SimpleNamespace(name='x', offset=4, datatype=7, count=1))
    assert_two_points(msg)


def test_an_unused_field_may_have_any_type_and_place() -> None:
    msg = message(UPO, 29, TWO_POINTS)
    msg.fields.append(SimpleNamespace(name='secret', offset=99, datatype=77, count=1))
    assert_two_points(msg)


def test_padded_rows_of_an_organised_cloud_are_skipped() -> None:
    msg = message(UPO, 29, TWO_POINTS)
    points = bytes(msg.data)
    msg.height, msg.width, msg.row_step = 2, 1, 40
    msg.data = points[:29] + b'\xff' * 11 + points[29:]
    assert_two_points(msg)


def test_bytes_after_the_last_point_are_ignored() -> None:
    msg = message(UPO, 29, TWO_POINTS)
    msg.data = bytes(msg.data) + b'\xff' * 50
    assert_two_points(msg)


def test_the_row_step_of_a_single_row_is_not_needed() -> None:
    msg = message(UPO, 29, TWO_POINTS)
    msg.row_step = 0
    assert_two_points(msg)


@pytest.mark.parametrize(('height', 'width'), [(1, 0), (0, 0), (0, 7)])
def test_an_empty_cloud_decodes_to_an_empty_cloud(height: int, width: int) -> None:
    msg = message(UPO, 29, TWO_POINTS)
    msg.height, msg.width, msg.data, msg.fields = height, width, b'', []
    cloud, stats = decode_point_cloud2(msg)
    assert len(cloud) == 0
    assert stats == DecodeStats(0)


def test_every_dropped_point_is_counted_under_one_reason() -> None:
    columns = {
        'x': [0, np.nan, 5, 5, 3e38, 1001, -700, 0.4, 5],
        'y': [0, 1, 5, 5, 0, 0, 800, 0.3, 5],
        'z': [0, 1, 0, 0, 0, 0, 0, 0, 0],
        'v': [0, 0, np.inf, 0, 0, 0, 0, 0, 1],
    }
    msg = message(UPO, 29, columns)
    cloud, stats = decode_point_cloud2(msg, DecoderConfig(min_range_m=1.0))
    assert stats == DecodeStats(9, num_zero=1, num_not_finite=2, num_too_far=3, num_too_near=1)
    assert len(cloud) == 9 - stats.num_dropped == 2


def test_points_at_the_limits_of_range_are_kept() -> None:
    msg = message(UPO, 29, {'x': [1000, 600, 1], 'y': [0, 800, 0]})
    assert len(decode_point_cloud2(msg, DecoderConfig(min_range_m=1.0)).cloud) == 3


def test_a_last_point_that_copies_the_one_before_is_dropped() -> None:
    columns = {name: [*values, values[-1]] for name, values in TWO_POINTS.items()}
    cloud, stats = decode_point_cloud2(message(UPO, 29, columns))
    assert len(cloud) == 2
    assert stats == DecodeStats(3, num_repeated=1)


def test_the_sign_of_the_doppler_can_be_turned() -> None:
    msg = message(UPO, 29, TWO_POINTS)
    cloud = decode_point_cloud2(msg, DecoderConfig(doppler_sign=-1)).cloud
    assert cloud.radial_velocity_mps.tolist() == [2.5, -1.5]


def test_a_field_map_overrides_the_known_names() -> None:
    layout = [*TI, ('speed', 24, 'f4')]
    config = DecoderConfig(field_map={'doppler': 'Speed', 'intensity': 'velocity'})
    cloud = decode_point_cloud2(message(layout, 32, {**TWO_POINTS, 'speed': [7, 8]}), config).cloud
    assert cloud.radial_velocity_mps.tolist() == [7, 8]


@pytest.mark.parametrize(
    ('azimuth_name', 'scale', 'unit'),
    [
        ('azimuth', 1.0, 'auto'),
        ('azimuth', np.degrees(1.0), 'auto'),
        ('bearing', np.degrees(1.0), 'auto'),
        ('azimuth', 1.0, 'rad'),
        ('azimuth', np.degrees(1.0), 'deg'),
    ],
)
def test_spherical_points_get_coordinates(azimuth_name: str, scale: float, unit: str) -> None:
    layout = [(name.replace('azimuth', azimuth_name), *rest) for name, *rest in SRR520]
    columns = {
        'range': [10, 2],
        azimuth_name: [np.pi / 2 * scale, -np.pi * scale],
        'range_rate': [1, 2],
        'rcs': [3, 4],
    }
    msg = message(layout, 16, columns)  # type: ignore[arg-type]
    cloud = decode_point_cloud2(msg, DecoderConfig(angle_unit=unit)).cloud
    np.testing.assert_allclose(cloud.xyz_m, [[0, 10, 0], [-2, 0, 0]], atol=1e-5)


def test_small_degrees_need_the_unit() -> None:
    columns = {'range': [100], 'azimuth': [3.0], 'range_rate': [0], 'rcs': [0]}
    msg = message(SRR520, 16, columns)
    cloud = decode_point_cloud2(msg, DecoderConfig(angle_unit='deg')).cloud
    np.testing.assert_allclose(cloud.xyz_m, [[99.863, 5.234, 0]], atol=1e-3)


def test_a_cloud_without_doppler_is_an_error_that_names_its_fields() -> None:
    msg = message(TI[:4], 32, TWO_POINTS)
    with pytest.raises(PointCloudError, match=r"no field for Doppler.*\['x', 'y', 'z', 'inten"):
        decode_point_cloud2(msg)


def test_a_cloud_without_doppler_stands_still_if_that_is_allowed() -> None:
    msg = message(TI[:4], 32, TWO_POINTS)
    cloud, stats = decode_point_cloud2(msg, DecoderConfig(require_doppler=False))
    assert cloud.radial_velocity_mps.tolist() == [0, 0]
    assert not stats.has_doppler


@pytest.mark.parametrize(
    ('changes', 'reason', 'text'),
    [
        ({'data': b'\0' * 57}, 'short_data', r'57 bytes, expected 58 for 1 x 2 points of 29'),
        ({'data': b''}, 'short_data', '0 bytes, expected 58'),
        ({'height': 3, 'row_step': 60}, 'short_data', '58 bytes, expected 178'),
        ({'height': 2, 'row_step': 57}, 'bad_layout', 'row_step 57'),
        ({'width': 2**32 - 1, 'height': 2**32 - 1}, 'bad_layout', 'impossible layout'),
        ({'point_step': 0}, 'bad_layout', 'point_step 0'),
        ({'point_step': 20}, 'bad_layout', "'RCS' ends at byte 21 of a point of 20 bytes"),
        ({'fields': []}, 'missing_field', 'no field for x, y, z or range and azimuth'),
    ],
)
def test_an_impossible_message_is_refused(changes: dict[str, Any], reason: str, text: str) -> None:
    msg = SimpleNamespace(**{**vars(message(UPO, 29, TWO_POINTS)), **changes})
    with pytest.raises(PointCloudError, match=text) as error:
        decode_point_cloud2(msg)
    assert error.value.reason == reason


def test_a_field_of_unknown_type_is_refused() -> None:
    msg = message(UPO, 29, TWO_POINTS)
    msg.fields[0].datatype = 9
    with pytest.raises(PointCloudError, match=r"'x' has datatype 9, expected 1 \.\. 8"):
        decode_point_cloud2(msg)


def test_a_cloud_without_intensity_is_refused() -> None:
    with pytest.raises(PointCloudError, match='no field for intensity or RCS'):
        decode_point_cloud2(message(TI[:3], 32, TWO_POINTS))


def test_a_mapped_field_that_is_absent_is_refused() -> None:
    config = DecoderConfig(field_map={'doppler': 'warp'})
    with pytest.raises(PointCloudError, match=r"doppler \(field_map says 'warp'\).*'velocity'"):
        decode_point_cloud2(message(TI, 32, TWO_POINTS), config)


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        ({'field_map': {'colour': 'x'}}, "unknown role .'colour'.*choose from"),
        ({'doppler_sign': 0}, 'doppler_sign is 0, expected 1 or -1'),
        ({'angle_unit': 'gon'}, "unknown angle_unit 'gon'"),
        ({'intensity_kind': 'db'}, "unknown intensity_kind 'db'"),
        ({'min_range_m': 5.0, 'max_range_m': 5.0}, 'empty range interval 5.0 .. 5.0 m'),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        DecoderConfig(**options)


def test_what_is_encoded_is_the_ars548_layout_and_decodes_again() -> None:
    xyz_m = np.array([[3, 4, 0], [10, -5, 1]], np.float32)
    rcs, velocity = np.array([-20, 30], np.float32), np.array([-2.5, 1.5], np.float32)
    encoded = encode_point_cloud2(RadarPointCloud(1, xyz_m, rcs, velocity))
    layout = [(f.name, f.offset, f.datatype, f.count) for f in ARS548_FIELDS]
    assert layout == [(name, offset, DATATYPES[kind], 1) for name, offset, kind in UPO]
    header = SimpleNamespace(stamp=SimpleNamespace(sec=0, nanosec=1), frame_id='')
    assert_two_points(SimpleNamespace(header=header, **encoded))
    assert (encoded['point_step'], encoded['row_step'], len(encoded['data'])) == (29, 58, 58)


def test_the_columns_are_views_of_the_bytes_of_the_message() -> None:
    msg = message(UPO, 29, TWO_POINTS)
    points = view_of_points(msg, checked_bytes(msg), {field.name: field for field in msg.fields})
    for name, _, _ in UPO:
        assert np.shares_memory(points[name].reshape(-1), np.frombuffer(msg.data, np.uint8))


def test_a_cloud_is_never_copied_as_a_whole() -> None:
    num_points = 10_000
    columns = {name: np.ones(num_points) for name in ('x', 'y', 'z', 'v', 'RCS')}
    msg = message(UPO, 256, columns)  # mostly padding, which nobody has a use for
    decode_point_cloud2(msg)
    tracemalloc.start()
    decode_point_cloud2(msg)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Twenty bytes of a point are kept, some more are needed to judge it; its message has 256.
    assert peak_bytes < 60 * num_points


def real_detections() -> NDArray[np.void]:
    detections: NDArray[np.void] = np.genfromtxt(DETECTIONS, delimiter=',', names=True)
    return detections


@pytest.mark.parametrize('spherical', [True, False])
def test_a_real_ars548_list_gives_the_speed_of_the_car(spherical: bool) -> None:
    real = real_detections()
    columns: dict[str, Any] = {
        'range': real['range_m'],
        'azimuth': real['azimuth_rad'],
        'elevation': real['elevation_rad'],
        'range_rate': real['range_rate_mps'],
        'rcs': real['rcs_dbsm'],
    }
    flat_m = columns['range'] * np.cos(columns['elevation'])
    columns['x'] = flat_m * np.cos(columns['azimuth'])
    columns['y'] = flat_m * np.sin(columns['azimuth'])
    columns['z'] = columns['range'] * np.sin(columns['elevation'])
    layout = [field for field in NEBULA if not (spherical and field[0] in 'xyz')]
    cloud, stats = decode_point_cloud2(message(layout, 64, columns))
    assert stats == DecodeStats(308)
    assert (cloud.rcs_dbsm.min(), cloud.rcs_dbsm.max()) == (-20, 34)
    range_m = np.linalg.norm(cloud.xyz_m, axis=1)
    np.testing.assert_allclose(range_m, real['range_m'], rtol=1e-5)
    # What stands still is seen at minus the car's speed along the line of sight.
    direction = (cloud.xyz_m / range_m[:, None])[:, :2]
    still = np.abs(cloud.radial_velocity_mps + direction @ [6.18, 0.07]) < 0.5
    solution = np.linalg.lstsq(direction[still], -cloud.radial_velocity_mps[still], rcond=None)
    np.testing.assert_allclose(solution[0], [6.18, 0.07], atol=0.05)
    assert still.sum() > 290


NAMES = strategies.sampled_from(['x', 'y', 'z', 'v', 'RCS', 'range', 'azimuth', 'snr', 's', 'h'])
FIELDS = strategies.builds(
    SimpleNamespace,
    name=NAMES | strategies.text(max_size=3),
    offset=strategies.integers(0, 24) | strategies.integers(0, 2**32 - 1),
    datatype=strategies.integers(1, 8) | strategies.integers(0, 255),
    count=strategies.integers(0, 2**32 - 1),
)
COMPLETE = [
    SimpleNamespace(name=name, offset=offset, datatype=7, count=1)
    for offset, name in enumerate(['x', 'y', 'z', 'v', 'rcs'])
]
SMALL = strategies.integers(0, 5)
UINT32 = strategies.integers(0, 2**32 - 1)


@settings(max_examples=300, deadline=None)
@given(
    height=SMALL | UINT32,
    width=SMALL | UINT32,
    fields=strategies.lists(FIELDS, max_size=10),
    complete=strategies.booleans(),
    is_bigendian=strategies.booleans(),
    point_step=strategies.integers(0, 32) | UINT32,
    row_step=strategies.integers(0, 160) | UINT32,
    data=strategies.binary(max_size=400),
    config=strategies.sampled_from(
        [
            DecoderConfig(),
            DecoderConfig(require_doppler=False, angle_unit='deg', min_range_m=1.0),
            DecoderConfig(require_doppler=False, intensity_kind='rcs_linear', doppler_sign=-1),
        ]
    ),
)
def test_no_message_raises_anything_but_a_point_cloud_error(
    fields: list[Any], complete: bool, config: DecoderConfig, **attributes: Any
) -> None:
    header = SimpleNamespace(stamp=SimpleNamespace(sec=0, nanosec=0), frame_id='')
    fields = [*COMPLETE, *fields] if complete else fields
    msg = SimpleNamespace(header=header, fields=fields, **attributes)
    try:
        cloud, stats = decode_point_cloud2(msg, config)
    except PointCloudError as error:
        assert error.reason in {'short_data', 'bad_layout', 'missing_field'}  # noqa: PT017
    else:
        assert len(cloud) == stats.num_received - stats.num_dropped
        assert np.isfinite(cloud.xyz_m).all()
        assert np.isfinite(cloud.rcs_dbsm).all()
