# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One moment of a simulated drive as a picture: the town, both radars, their polar BEVs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import panorama_from_scan, ScanBevConfig, views_of_panorama
from ssd_ros.bev.preprocessing import CloudPreprocessor, PreprocessingConfig
from ssd_ros.cli.common.pictures import write_figure
from ssd_ros.cli.common.scan_picture import birds_eye
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan
from ssd_ros.simulator.config import conditions_of, WorldConfig
from ssd_ros.simulator.radars.fourd import Origin
from ssd_ros.simulator.recordings.sequence import SimulatedSequence
from ssd_ros.simulator.scene.elements import Kind
from ssd_ros.simulator.scene.world import World
from ssd_ros.simulator.visits.session import Session

SHOWN_RANGE_M = 100.0
# Simulated scans are about 25 pixels darker than those of the sensor that 123 was chosen for.
SCAN_THRESHOLD = 98
_BRIGHTEST_PIXEL = 110
_LEAST_DRAWN_M2 = 1e-8  # empty parking slots and what is gone are silent
_ORIGIN_COLOURS = ('#3b5b92', '#d1495b', '#e39b2d', '#999999', '#7ec8e3')
_COLOURS = {
    Kind.BUILDING: '#3b5b92',
    Kind.STREET_FURNITURE: '#d1495b',
    Kind.VEGETATION: '#4f9d5d',
    Kind.FENCE: '#8a6d3b',
    Kind.VEHICLE: '#e39b2d',
    Kind.KERB: '#b8b8b8',
}


def draw(
    path: Path, seed: int, session_index: int, frame: int, difficulty: str, world: str = 'town'
) -> None:
    """
    Draw the 4D scan with the given number and the spinning scan nearest in time.

    :raise ValueError: the drive has no such scan
    """
    place = World(seed, WorldConfig(style=world))
    session = Session(place, session_index, conditions_of(difficulty, session_index))
    sequence = SimulatedSequence(session)
    num_clouds = len(sequence.cloud_stamps_ns)
    if frame >= num_clouds:
        raise ValueError(f'{sequence.name} has no 4D scan {frame}, only {num_clouds}')
    config = PreprocessingConfig()
    preprocessor = CloudPreprocessor(config)
    for index in range(config.first_scan(frame), frame + 1):
        cloud = sequence.cloud(index)
        cloud_bev = preprocessor.process(cloud).bev
    delay_ns = np.abs(sequence.scan_stamps_ns - sequence.cloud_stamps_ns[frame])
    scan = sequence.scan(int(delay_ns.argmin()))
    panorama = panorama_from_scan(scan, config.grid, ScanBevConfig(threshold=SCAN_THRESHOLD))
    scan_bev = views_of_panorama(panorama, config.grid, 1)[0]

    figure = Figure(figsize=(15, 10), layout='constrained')
    FigureCanvasAgg(figure)
    figure.suptitle(f'Simulated: {sequence.name}, 4D scan {frame}, {difficulty} difficulty')
    axes: Any = figure.subplots(2, 3)
    _draw_town(axes[0, 0], session, sequence.cloud_poses.positions_m[frame])
    _draw_polar(axes[0, 1], scan)
    _draw_overlay(axes[0, 2], scan, cloud, figure)
    _draw_bev(axes[1, 0], scan_bev, 'polar BEV of the spinning radar, forward 120°')
    _draw_bev(axes[1, 1], cloud_bev, f'polar BEV of the 4D radar, {config.window_words}')
    _draw_doppler(axes[1, 2], sequence, frame)
    write_figure(path, figure, 80)


def _draw_town(axes: Any, session: Session, position_m: NDArray[np.float64]) -> None:
    rows = session.spinning_scatterers
    for kind, colour in _COLOURS.items():
        chosen = (rows.kind == kind) & (rows.diffuse > _LEAST_DRAWN_M2)
        axes.scatter(
            rows.x[chosen], rows.y[chosen], s=0.15, c=colour, label=kind.name.replace('_', ' ')
        )
    axes.plot(*session.drive.xy_m.T, 'k', linewidth=1.2)
    axes.plot(*position_m[:2], 'r*', markersize=12)
    axes.legend(loc='upper left', fontsize=7, markerscale=12, framealpha=0.8)
    axes.set(title='scatterers, route (black) and radar (red)', xlabel='x [m]', ylabel='y [m]')
    axes.set_aspect('equal')


def _draw_polar(axes: Any, scan: SpinningRadarScan) -> None:
    max_range_m = len(scan.power) * scan.range_resolution_m
    axes.imshow(
        scan.power.T,
        cmap='gray',
        vmax=_BRIGHTEST_PIXEL,
        aspect='auto',
        extent=(0, max_range_m, 360, 0),
    )
    axes.set(
        title='spinning radar as it comes', xlabel='range [m]', ylabel='azimuth, clockwise [°]'
    )


def _draw_overlay(axes: Any, scan: SpinningRadarScan, cloud: RadarPointCloud, figure: Any) -> None:
    reach = SHOWN_RANGE_M
    image = birds_eye(scan, reach, 700)
    axes.imshow(image, cmap='gray', vmax=_BRIGHTEST_PIXEL, extent=(-reach, reach, -reach, reach))
    points = axes.scatter(
        -cloud.xyz_m[:, 1],
        cloud.xyz_m[:, 0],
        s=6,
        c=cloud.rcs_dbsm,
        cmap='plasma',
        vmin=-20,
        vmax=25,
    )
    figure.colorbar(points, ax=axes, label='RCS of the 4D radar [dBsm]', shrink=0.8)
    axes.set(
        title=f'the same, forward up, with {len(cloud)} 4D detections',
        xlabel='right [m]',
        xlim=(-reach, reach),
        ylim=(-reach, reach),
    )


def _draw_bev(axes: Any, bev: NDArray[np.uint8], title: str) -> None:
    axes.imshow(
        bev, cmap='gray', vmax=180, origin='lower', aspect='auto', extent=(-60, 60, 0, 150)
    )
    share = 100 * np.count_nonzero(bev) / bev.size
    axes.set(
        title=f'{title} ({share:.0f} % filled)',
        xlabel='azimuth, clockwise [°]',
        ylabel='range [m]',
    )


def _draw_doppler(axes: Any, sequence: SimulatedSequence, frame: int) -> None:
    found = sequence.detections(frame)
    for origin, colour in zip(Origin, _ORIGIN_COLOURS, strict=True):
        chosen = found.origin == origin
        axes.scatter(
            -np.degrees(found.azimuth_rad[chosen]),
            found.velocity_mps[chosen],
            s=8,
            c=colour,
            label=origin.name.replace('_', ' ').lower(),
        )
    azimuth = np.radians(np.linspace(-60, 60, 121))
    vx, vy = found.ego_velocity_mps
    axes.plot(
        np.degrees(azimuth), -vx * np.cos(azimuth) + vy * np.sin(azimuth), 'k', linewidth=0.8
    )
    axes.legend(loc='upper right', fontsize=8)
    axes.set(
        title='Doppler of one 4D scan; black: what stands still',
        xlabel='azimuth, clockwise [°]',
        ylabel='radial velocity [m/s]',
    )
