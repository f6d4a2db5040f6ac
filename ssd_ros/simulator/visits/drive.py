# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the vehicle goes round the route: speed, lane keeping, heading."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.config import Driving
from ssd_ros.simulator.scene.grid import resample_loop, ROUTE_STEP_M

LANE_OFFSET_M = 1.8  # to the right of the centre line
STEP_S = 0.05
LATERAL_ACCELERATION_MPS2 = 1.6
ACCELERATION_MPS2 = 1.5
SPEED_MPS = (5.0, 6.5)
SPEED_VARIATION = 0.12
NOISE_LENGTH_M = 30.0  # over which lane keeping and speed change
STOP_MPS = 0.3  # at the half metre where it comes to a stand
HEADING_NOISE_RAD = np.deg2rad(0.3)
HEADING_NOISE_S = 0.5


@dataclass(frozen=True, slots=True)
class Motion:
    """
    Pose and velocity at one time.

    :param velocity_mps: x and y, world frame
    """

    x_m: float
    y_m: float
    yaw_rad: float
    velocity_mps: tuple[float, float]
    yaw_rate_radps: float


class Drive:
    """
    One lap or several, sampled every 50 ms.

    :param route_m: centre line of the closed route in the sense of driving, shape (N, 2)
    :param start_m: where on the route the lap starts
    :param lateral_std_m: of the wandering in the lane, drawn anew in every lap
    :param driving: speed, standing still, reverse gear; None = a lap without a stop
    """

    def __init__(
        self,
        rng: np.random.Generator,
        route_m: NDArray[np.float64],
        start_m: float,
        lateral_std_m: float,
        num_laps: int = 1,
        driving: Driving | None = None,
    ) -> None:
        if num_laps < 1:
            raise ValueError(f'num_laps is {num_laps}, expected 1 or more')
        self._num_laps = num_laps
        driving = driving or Driving()
        route_m = np.tile(route_m, (num_laps, 1))
        wander_m = _smooth_noise(rng, len(route_m), NOISE_LENGTH_M / ROUTE_STEP_M)
        offset_m = LANE_OFFSET_M + rng.normal(0, 0.2) + lateral_std_m * wander_m
        path_m = resample_loop(offset_line(route_m, offset_m), ROUTE_STEP_M)
        path_m = np.roll(path_m, -round(start_m / ROUTE_STEP_M), axis=0)
        variation = _smooth_noise(rng, len(path_m), NOISE_LENGTH_M / ROUTE_STEP_M)
        speed_mps = rng.uniform(*SPEED_MPS) * (1 + SPEED_VARIATION * variation)
        if driving.speed_mps is not None:
            speed_mps *= driving.speed_mps / speed_mps.mean()
        along_m = _distances(_limited(speed_mps, path_m))
        self._stand_from_s, self._stand_s = 0.0, driving.stand_s
        if driving.stand_s == 0:
            self._follow(rng, path_m, along_m, driving.is_reverse)
        else:
            stop = _stop_of(driving, along_m)
            speed_mps[stop] = STOP_MPS
            along_m = _distances(_limited(speed_mps, path_m))
            self._follow(rng, path_m, along_m, driving.is_reverse)
            self._stand(int(np.searchsorted(along_m, stop * ROUTE_STEP_M)))

    def _follow(
        self,
        rng: np.random.Generator,
        path_m: NDArray[np.float64],
        along_m: NDArray[np.float64],
        is_reverse: bool,
    ) -> None:
        ahead = np.roll(path_m, -1, axis=0) - np.roll(path_m, 1, axis=0)
        course = _smooth(np.unwrap(np.arctan2(ahead[:, 1], ahead[:, 0])), 2.0 / ROUTE_STEP_M)
        samples = np.arange(len(path_m)) * ROUTE_STEP_M
        noise = _smooth_noise(rng, len(along_m), HEADING_NOISE_S / STEP_S)
        self.length_m = len(path_m) * ROUTE_STEP_M
        self.times_s = np.arange(len(along_m)) * STEP_S
        self.along_m = along_m
        self.xy_m = np.column_stack(
            [np.interp(along_m, samples, path_m[:, axis]) for axis in range(2)]
        )
        self.yaws_rad = np.interp(along_m, samples, course) + HEADING_NOISE_RAD * noise
        if is_reverse:
            self.yaws_rad += np.pi

    def _stand(self, at: int) -> None:
        """Hold the pose of one sample for as long as the vehicle stands."""
        self._stand_from_s = at * STEP_S
        num = round(self._stand_s / STEP_S)
        held = np.insert(np.arange(len(self.along_m)), at, np.full(num, at))
        self.along_m, self.xy_m = self.along_m[held], self.xy_m[held]
        self.yaws_rad = self.yaws_rad[held]
        self.times_s = np.arange(len(held)) * STEP_S

    @property
    def lap_m(self) -> float:
        """Mean length of a lap."""
        return self.length_m / self._num_laps

    @property
    def duration_s(self) -> float:
        """Time of all laps."""
        return float(self.times_s[-1])

    def stood_s(self, time_s: float) -> float:
        """Return how much of the time until then the vehicle has stood still."""
        return min(max(time_s - self._stand_from_s, 0.0), self._stand_s)

    def poses(
        self, times_s: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return positions (N, 2) and unwrapped yaws (N,) at times within the drive."""
        xy_m = np.column_stack(
            [np.interp(times_s, self.times_s, self.xy_m[:, axis]) for axis in range(2)]
        )
        return xy_m, np.interp(times_s, self.times_s, self.yaws_rad)

    def motion(self, time_s: float) -> Motion:
        """Return the pose and velocity at a time within the drive."""
        half_s = STEP_S / 2
        around = np.clip([time_s - half_s, time_s, time_s + half_s], 0, self.duration_s)
        xy_m, yaw_rad = self.poses(around)
        span_s = around[2] - around[0]
        velocity = (xy_m[2] - xy_m[0]) / span_s
        return Motion(
            float(xy_m[1, 0]),
            float(xy_m[1, 1]),
            float(yaw_rad[1]),
            (float(velocity[0]), float(velocity[1])),
            float((yaw_rad[2] - yaw_rad[0]) / span_s),
        )


def offset_line(
    line_m: NDArray[np.float64], right_m: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Return a closed line shifted to its right."""
    ahead = np.roll(line_m, -1, axis=0) - np.roll(line_m, 1, axis=0)
    right = np.column_stack([ahead[:, 1], -ahead[:, 0]]) / np.hypot(*ahead.T)[:, None]
    return line_m + np.broadcast_to(right_m, len(line_m))[:, None] * right


def _stop_of(driving: Driving, along_m: NDArray[np.float64]) -> int:
    """Return the sample of the path at which the vehicle stands still."""
    at = round(driving.stand_after_s / STEP_S)
    if at >= len(along_m):
        raise ValueError(
            f'stand_after_s is {driving.stand_after_s:g}, '
            f'but the drive is over after {len(along_m) * STEP_S:.0f} s'
        )
    return int(along_m[at] / ROUTE_STEP_M)


def _limited(speed_mps: NDArray[np.float64], path_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the speed limited by lateral and longitudinal acceleration along a closed path."""
    ahead = np.roll(path_m, -1, axis=0) - path_m
    turn = np.diff(np.unwrap(np.arctan2(ahead[:, 1], ahead[:, 0])), append=0.0)
    turn[-1] = 0.0
    curvature = np.abs(_smooth(turn / ROUTE_STEP_M, 3.0 / ROUTE_STEP_M))
    limited = np.minimum(speed_mps, np.sqrt(LATERAL_ACCELERATION_MPS2 / (curvature + 1e-6)))
    gain = 2 * ACCELERATION_MPS2 * ROUTE_STEP_M
    for order in (range(1, len(limited)), range(len(limited) - 2, -1, -1)):
        step = order.step
        for index in order:
            limited[index] = min(limited[index], np.sqrt(limited[index - step] ** 2 + gain))
    return limited


def _distances(speed_mps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance driven at every time step until the path ends."""
    arrival_s = np.concatenate([[0.0], np.cumsum(ROUTE_STEP_M / speed_mps)[:-1]])
    samples = np.arange(len(speed_mps)) * ROUTE_STEP_M
    return np.interp(np.arange(0, arrival_s[-1], STEP_S), arrival_s, samples)


def _smooth(values: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Return a running Gaussian mean with the given width in samples; ends are held."""
    reach = int(3 * width)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    padded = np.pad(values, reach, mode='edge')
    return np.convolve(padded, kernel / kernel.sum(), mode='valid')


def _smooth_noise(rng: np.random.Generator, num: int, width: float) -> NDArray[np.float64]:
    """Return slowly changing noise of zero mean and unit standard deviation, shape (num,)."""
    reach = int(3 * width)
    white = rng.standard_normal(num + 2 * reach)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    return np.convolve(white, kernel / np.hypot.reduce(kernel), mode='valid')
