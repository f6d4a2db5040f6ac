# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Drives as the networks see them: polar BEV images on disk, read when they are asked for.

One directory per drive, written whole or not at all, so an interrupted run goes on with the
drives that are missing. The command `cache` fills it from simulated and recorded drives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
import hashlib
from itertools import count
import json
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.data_origin import Origin, origin_from
from ssd_ros.datasets.pose_check import require_one_place
from ssd_ros.datasets.sequence import origin_of, RadarSequence
from ssd_ros.evaluation.drive_images import Image, mapped_images, student_images
from ssd_ros.evaluation.used_radar import used_radar, UsedRadar
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.npy_files import array_of, StoredRows, write_array, write_rows
from ssd_ros.reading import read_json, read_whole
from ssd_ros.records import check_text, record_from_mapping, settings_of
from ssd_ros.targets import folder_written, FolderKind

Images: TypeAlias = NDArray[np.uint8] | StoredRows

MAX_META_BYTES = 1 << 16
MAX_NAME = 200  # characters
MAX_POSES_BYTES = 1 << 30
_META = 'meta.json'
_IMAGES = {'student': 'student_bevs', 'panorama': 'panoramas'}
_ARRAYS = [
    *_IMAGES.values(),
    *(f'{sensor}_{what}' for sensor in _IMAGES for what in ('poses', 'stamps_ns')),
]


def _own_files(directory: Path) -> list[str]:
    """Return the files of a cached drive; a file named meta.json alone makes none."""
    if not {'world', 'preprocessing', 'spacing'} <= set(_read_meta(directory)):
        raise ValueError(f'{_META} describes something else')
    return [_META, *(f'{key}.npy' for key in _ARRAYS)]


def _read_meta(directory: Path) -> dict[str, Any]:
    """
    Return what a cached drive says of itself.

    :raise ValueError: it says nothing
    :raise OSError: it cannot be read
    """
    meta = read_json(directory / _META, MAX_META_BYTES, 'a cached drive')
    if not isinstance(meta, dict):
        raise ValueError(f'{_META} is {type(meta).__name__}, expected an object')
    return meta


CACHE_FOLDER = FolderKind('a cached drive', _own_files)


@dataclass(frozen=True, slots=True)
class Spacing:
    """
    Distance travelled between two images of a drive; None leaves the sensor out.

    With density images those of the LiDAR stand beside those of the 4D radar, if they are wanted.
    """

    student_m: float | None = 2.0
    panorama_m: float | None = 2.0


@dataclass(frozen=True, slots=True)
class CachedDrive:
    """
    One drive, its images on disk or in memory.

    Density images of LiDAR stand in place of the panoramas; each has stamp and pose of the 4D
    image beside which it was made.

    :param world: drives of one world share a map frame
    :param name: of the drive, beginning with the world
    :param student_bevs: shape (Q, *image_shape) uint8 of the preprocessing
    :param student_poses: shape (Q, 3): x, y in metres, yaw in radians, map frame
    :param student_stamps_ns: shape (Q,)
    :param panoramas: shape (M, num_ranges, panorama_azimuths) uint8, or (M, *image_shape)
    :param panorama_poses: shape (M, 3)
    :param panorama_stamps_ns: shape (M,)
    :param origin: unknown where the cache does not tell
    :param radars: what they were made of; none where the cache does not tell
    """

    world: str
    name: str
    student_bevs: Images
    student_poses: NDArray[np.float64]
    student_stamps_ns: NDArray[np.int64]
    panoramas: Images
    panorama_poses: NDArray[np.float64]
    panorama_stamps_ns: NDArray[np.int64]
    origin: Origin = field(default_factory=Origin)
    radars: tuple[UsedRadar, ...] = ()


def preprocessing_digest(preprocessing: PreprocessingConfig) -> str:
    """Return 64 hexadecimal digits that change with any option but the window of way."""
    text = json.dumps(settings_of(replace(preprocessing, window_m=0.0)), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def is_cached(
    directory: Path,
    preprocessing: PreprocessingConfig,
    spacing: Spacing,
    source: str = '',
    submap_m: float = 0.0,
    of_lidar: bool = False,
) -> bool:
    """
    Return whether the drive is there already, made with these options.

    :param submap_m: with of_lidar, see `cache_drive`
    :param source: what `cache_drive` was told; a cache that does not say its source is accepted
    """
    try:
        meta = _read_meta(directory)
    except (OSError, ValueError):
        return False
    wanted = {'preprocessing': preprocessing_digest(preprocessing), 'spacing': asdict(spacing)}
    has_options = all(meta.get(key) == wanted[key] for key in wanted)
    made_of = (meta.get('window_m', 0.0), *_made_of(meta))
    is_made_so = made_of == (preprocessing.window_m, submap_m, of_lidar)
    return has_options and is_made_so and meta.get('source', source) == source


def _made_of(meta: Mapping[str, Any]) -> tuple[float, bool]:
    """Return `submap_m` and `of_lidar` of a cached drive."""
    return meta.get('submap_m', 0.0), meta.get('of_lidar', False)


def cache_drive(
    sequence: RadarSequence,
    directory: Path,
    preprocessing: PreprocessingConfig,
    spacing: Spacing,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    source: str = '',
    poses: Mapping[str, str] | None = None,
    submap_m: float = 0.0,
    of_lidar: bool = False,
) -> dict[str, int]:
    """
    Write the images of a drive; the part of its name before the slash is the world.

    Scans that cannot be read are left out and logged; most of them end the work.

    :param progress: called after each image with the number done and the number of all
    :param source: where the drive comes from, so that another one of its name is not taken for it
    :param poses: what was done to the poses of each sensor, in words
    :param submap_m: of way, whose local maps of the 4D radar the panoramas show instead of the
        scans of the spinning radar; 0 = none
    :param of_lidar: they show local maps of the LiDAR instead
    :return: number of scans that cannot be read, by `student` and `panorama`
    :raise ValueError: most scans of a sensor cannot be read
    """
    student = student_images(sequence, preprocessing, spacing.student_m)
    made_of = submap_m, of_lidar
    mapped = mapped_images(sequence, preprocessing, spacing.panorama_m, student, *made_of)
    # Of the images, of both sensors.
    numbers, total = count(1), len(student.poses) + len(mapped.poses)

    def counted(images: Iterable[Image]) -> Iterator[Image]:
        for image in images:
            progress(next(numbers), total)
            yield image

    shapes = _shapes(preprocessing)
    meta = _meta_of(sequence, preprocessing, spacing, made_of, poses or {}) | {'source': source}
    with folder_written(directory, CACHE_FOLDER) as part:
        for sensor, made in (('student', student), ('panorama', mapped)):
            kept = _write_images(
                part / f'{_IMAGES[sensor]}.npy',
                (len(made.poses), *shapes[sensor]),
                counted(made.images),
                made.num_expected,
            )
            made.left_out.require_few()
            write_array(part / f'{sensor}_poses.npy', _planar(made.poses.select(kept)))
            write_array(part / f'{sensor}_stamps_ns.npy', made.poses.stamps_ns[kept])
        num_unreadable = {'student': student.left_out.count, 'panorama': mapped.left_out.count}
        meta['unreadable'] = num_unreadable
        (part / _META).write_text(json.dumps(meta, indent=1))
    return num_unreadable


def _meta_of(
    sequence: RadarSequence,
    preprocessing: PreprocessingConfig,
    spacing: Spacing,
    made_of: tuple[float, bool],
    poses: Mapping[str, str],
) -> dict[str, Any]:
    """Return what a cached drive says of itself, but of its source and its scans."""
    submap_m, of_lidar = made_of
    mapped = '4d' if submap_m else 'lidar' if of_lidar else 'spinning'
    spacing_of = {'4d': spacing.student_m, mapped: spacing.panorama_m}
    return {
        'world': sequence.name.rpartition('/')[0],
        'name': sequence.name,
        'radars': [asdict(one) for one in _radars(sequence, spacing_of, poses)],
        'origin': asdict(origin_of(sequence)),
        'preprocessing': preprocessing_digest(preprocessing),
        'window_m': preprocessing.window_m,
        'submap_m': submap_m,
        'of_lidar': of_lidar,
        'spacing': asdict(spacing),
    }


def _write_images(
    path: Path, shape: tuple[int, ...], images: Iterable[Image], num_expected: int | None
) -> NDArray[np.int64]:
    """Write the images that are some, and return their numbers."""
    kept: list[int] = []

    def those_read() -> Iterator[NDArray[np.uint8]]:
        for number, image in enumerate(images):
            if image is not None:
                kept.append(number)
                yield image

    write_rows(path, shape, np.uint8, those_read(), num_expected)
    return np.array(kept, np.int64)


def _shapes(preprocessing: PreprocessingConfig) -> dict[str, tuple[int, int]]:
    """Return rows and columns of the images of both sensors."""
    shape, grid = preprocessing.image_shape, preprocessing.grid
    around = (grid.num_ranges, grid.panorama_azimuths)
    return {'student': shape, 'panorama': shape if preprocessing.density else around}


def load_drive(
    directory: Path, preprocessing: PreprocessingConfig, *, any_window: bool = False
) -> CachedDrive:
    """
    Read what is known of a drive; its images are read when they are asked for.

    :param any_window: its 4D images may be of another window of way, and its turns local maps
    :raise ValueError: the directory is no cached drive or was made with another preprocessing
    """
    try:
        meta = _read_meta(directory)
        world, name, digest = (str(meta[key]) for key in ('world', 'name', 'preprocessing'))
        for key in ('world', 'name'):
            check_text(key, str(meta[key]), MAX_NAME)
        origin = origin_from(meta.get('origin'))
        radars = [record_from_mapping(UsedRadar, one) for one in meta.get('radars', [])]
        arrays = {key: _stored(directory / f'{key}.npy') for key in _ARRAYS}
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f'{directory} is not a cached drive: {error!r}') from error
    if any(_made_of(meta)) and not any_window:
        raise ValueError(
            f'{directory} shows local maps of the 4D radar or LiDAR in place of turns, to train '
            'on: judge with a cache made without --submap and --lidar'
        )
    has_window = any_window or meta.get('window_m', 0.0) == preprocessing.window_m
    if digest != preprocessing_digest(preprocessing) or not has_window:
        raise ValueError(
            f'{directory} was cached with another preprocessing: cache it again for this run'
        )
    _check_arrays(directory, arrays, preprocessing)
    return CachedDrive(world, name, **arrays, origin=origin, radars=tuple(radars))


def _radars(
    sequence: RadarSequence, spacing_m: Mapping[str, float | None], poses: Mapping[str, str]
) -> Iterator[UsedRadar]:
    """Yield the radars that the drive has and that were asked for."""
    for sensor, asked_m in spacing_m.items():
        radar = used_radar(sequence, sensor, poses.get(sensor, ''))
        if asked_m is not None and radar.num_scans:
            yield radar


def _stored(path: Path) -> Any:
    """Return images as they stand on disk, all else in memory."""
    if path.stem in _IMAGES.values():
        return StoredRows(path)
    return array_of(read_whole(path, MAX_POSES_BYTES, 'the poses of a drive'))


def _check_arrays(
    directory: Path, arrays: Mapping[str, Any], preprocessing: PreprocessingConfig
) -> None:
    shapes = _shapes(preprocessing)
    for sensor, images in _IMAGES.items():
        num = len(arrays[images])
        for key, kind, shape in (
            (images, np.uint8, (num, *shapes[sensor])),
            (f'{sensor}_poses', np.float64, (num, 3)),
            (f'{sensor}_stamps_ns', np.int64, (num,)),
        ):
            found = arrays[key]
            if found.dtype != kind or found.shape != shape:
                raise ValueError(
                    f'{directory}/{key}.npy has shape {found.shape} and type {found.dtype}, '
                    f'expected {shape} of {np.dtype(kind)}'
                )
        if not np.isfinite(arrays[f'{sensor}_poses']).all():
            raise ValueError(f'{directory}/{sensor}_poses.npy has a pose that is not finite')


def load_drives(
    directory: Path, preprocessing: PreprocessingConfig, *, any_window: bool = False
) -> list[CachedDrive]:
    """
    Read what is known of all drives of a directory, in order of name.

    :param any_window: see `load_drive`
    :raise ValueError: there is none, or two of one world have poses of different origins
    """
    # None that is being written, or whose writing was killed.
    directories = sorted(path.parent for path in directory.glob(f'[!.]*/{_META}'))
    if not directories:
        raise ValueError(
            f'{directory} holds no cached drive: '
            'fill it with the command cache (ssd_ros cache --help)'
        )
    drives = [load_drive(path, preprocessing, any_window=any_window) for path in directories]
    for poses in ('panorama_poses', 'student_poses'):
        require_one_place((drive.name, getattr(drive, poses), drive.world) for drive in drives)
    return drives


def _planar(poses: Trajectory) -> NDArray[np.float64]:
    return np.column_stack([poses.positions_m[:, :2], poses.yaws_rad])
