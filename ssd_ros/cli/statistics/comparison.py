# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far two samples are apart: by each statistic, and for a classifier that sees them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.statistics.pieces import Piece
from ssd_ros.confidence.logistic_regression import logistic_regression

NUM_FOLDS = 5
_RIDGE = 1.0  # on weights of inputs of unit deviation, where a real piece counts 1
_MOST_DEVIATIONS = 5.0


@dataclass(frozen=True, slots=True)
class Sample:
    """
    Pieces of several frames.

    :param names: of the statistics
    :param values: shape (N, len(names)), NaN where a piece does not have it
    :param recording: shape (N,), number of the drive or file that a piece is of
    :param frame: shape (N,), number of the frame within its recording
    :param sector: shape (N,)
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    recording: NDArray[np.int64]
    frame: NDArray[np.int64]
    sector: NDArray[np.int64]

    def select(self, keep: NDArray[np.bool_]) -> Sample:
        """Return some of the pieces."""
        return Sample(
            self.names,
            self.values[keep],
            self.recording[keep],
            self.frame[keep],
            self.sector[keep],
        )

    def of(self, kinds: Sequence[str]) -> Sample:
        """Return the statistics whose names begin with one of the words."""
        return self.only(np.array([name.startswith(tuple(kinds)) for name in self.names]))

    def only(self, chosen: NDArray[np.bool_]) -> Sample:
        """Return some of the statistics."""
        names = tuple(np.array(self.names)[chosen].tolist())
        return replace(self, names=names, values=self.values[:, chosen])

    @property
    def num_recordings(self) -> int:
        """Number of drives or files."""
        return len(np.unique(self.recording))

    @property
    def num_frames(self) -> int:
        """Number of independent frames."""
        return len(np.unique(np.column_stack([self.recording, self.frame]), axis=0))

    @property
    def groups(self) -> NDArray[np.int64]:
        """What must not be split between folds: drives, frames, or the sectors of one frame."""
        if self.num_recordings > 1:
            return self.recording
        return self.frame if self.num_frames > 1 else self.sector


def sample_of(recordings: Sequence[Sequence[Sequence[Piece]]]) -> Sample:
    """
    Return the pieces of recordings, frame by frame.

    :raise ValueError: there is none
    """
    rows = [
        (number, frame, piece)
        for number, frames in enumerate(recordings)
        for frame, pieces in enumerate(frames)
        for piece in pieces
    ]
    if not rows:
        raise ValueError('no scan holds enough to be measured')
    numbers, frames, pieces = zip(*rows, strict=True)
    names = tuple(pieces[0].values)
    return Sample(
        names,
        np.array([[piece.values[name] for name in names] for piece in pieces]),
        np.array(numbers, np.int64),
        np.array(frames, np.int64),
        np.array([piece.sector for piece in pieces], np.int64),
    )


def known_in_both(real: Sample, simulated: Sample) -> tuple[Sample, Sample]:
    """Leave out the statistics that all pieces of a sample lack."""
    known = [np.isfinite(each.values).any(axis=0) for each in (real, simulated)]
    is_known: NDArray[np.bool_] = np.all(known, axis=0)
    return real.only(is_known), simulated.only(is_known)


def ks_distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """
    Return the two-sample statistic of Kolmogorov and Smirnov, 0 ... 1.

    :param one: shape (N,), NaN does not count
    :param other: shape (M,)
    :return: NaN if a sample is empty
    """
    one, other = np.sort(one[np.isfinite(one)]), np.sort(other[np.isfinite(other)])
    if not len(one) or not len(other):
        return np.nan
    at = np.concatenate([one, other])
    shares = (np.searchsorted(each, at, side='right') / len(each) for each in (one, other))
    return float(np.abs(np.subtract(*shares)).max())


def auc(scores: NDArray[np.float64], is_real: NDArray[np.bool_]) -> float:
    """Return the chance that a real piece has the higher score; equal ones count half."""
    real, simulated = scores[is_real], np.sort(scores[~is_real])
    below = np.searchsorted(simulated, real) + np.searchsorted(simulated, real, side='right')
    return float(below.mean() / 2 / len(simulated))


def cross_validated_auc(real: Sample, simulated: Sample) -> float:
    """
    Return the AUC of a logistic regression that tells real pieces from simulated ones.

    The mean over folds; 0.5 = it cannot, 1 = always. Drives are never split between folds, nor
    frames, nor, if there is one real frame, its sectors: then it may learn that frame.

    :return: NaN if one of the samples has only one group
    """
    folds = min(NUM_FOLDS, *(len(np.unique(each.groups)) for each in (real, simulated)))
    if folds < 2:
        return np.nan
    values = np.concatenate([real.values, simulated.values])
    is_real = np.arange(len(values)) < len(real.values)
    fold = np.concatenate([_fold_of(each.groups, folds) for each in (real, simulated)])
    found = [
        auc(_scores(values, is_real, fold != number)[fold == number], is_real[fold == number])
        for number in range(folds)
    ]
    return float(np.mean(found))


def in_their_place(real: Sample, simulated: Sample, num: int) -> Iterator[float]:
    """
    Yield the AUC of simulated recordings taken for the real ones, of as many frames.

    So much is due to few frames alone: the classifier learns the places that they show.

    :param num: how often; the recordings are drawn anew
    """
    rng = np.random.default_rng(0)
    numbers = np.unique(simulated.recording)
    if len(numbers) < real.num_recordings + 2:
        return
    for _ in range(num):
        taken = np.isin(simulated.recording, rng.choice(numbers, real.num_recordings, False))
        per_recording = -(-real.num_frames // real.num_recordings)
        instead = simulated.select(taken & (simulated.frame < per_recording))
        if len(instead.values):
            yield cross_validated_auc(instead, simulated.select(~taken))


def _fold_of(groups: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    _, number = np.unique(groups, return_inverse=True)
    return np.asarray(number % folds, np.int64)


def _scores(
    values: NDArray[np.float64], is_real: NDArray[np.bool_], is_learnt: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the log-odds of being real of all pieces, after what is learnt of some."""
    learnt = values[is_learnt]
    mean, deviation = np.nanmean(learnt, axis=0), np.nanstd(learnt, axis=0)
    inputs = np.nan_to_num((values - mean) / np.where(deviation > 0, deviation, 1))
    inputs = np.clip(inputs, -_MOST_DEVIATIONS, _MOST_DEVIATIONS)
    inputs = np.column_stack([inputs, np.ones(len(inputs))])
    truth = is_real[is_learnt]
    # Both kinds weigh alike.
    counts = np.where(truth, 1.0, truth.sum() / max(1, (~truth).sum()))
    return inputs @ logistic_regression(inputs[is_learnt], truth, counts, _RIDGE)
