# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a training run shows and leaves on disk between its steps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
import sys
from typing import Any

import numpy as np
from ssd_ros.training.runs.curves import plot_curves
from ssd_ros.training.runs.folder import RunFolder
from ssd_ros.training.runs.learning import learning_report
from ssd_ros.training.runs.stepper import Stepper
from tqdm import tqdm

# A file or a pipe gets a line now and then, not ten a second.
SECONDS_BETWEEN = 0.2 if sys.stderr.isatty() else 15.0
Validate = Callable[[], dict[str, float]]
"""Recall by name, on drives that training does not see."""

_LOG_EVERY = 10  # steps; checkpoints fall on these, so that a resumed run logs the same means


class Monitor:
    """Logs means over some steps, validates, saves checkpoints and shows a progress bar."""

    def __init__(
        self,
        run: RunFolder[Any],
        trainer: Stepper[Any],
        validate: Validate | None,
        progress: float,
        save_every_s: float,
        num_validations: int,
        bar: tqdm,
    ) -> None:
        self._run, self._trainer, self._validate = run, trainer, validate
        self._num_parts = max(num_validations, 1)
        self._save_every_s, self._bar = save_every_s, bar
        self._values: dict[str, list[float]] = defaultdict(list)
        self._shown: dict[str, str] = {}
        self._part = int(self._num_parts * progress)
        self._last_save_s = trainer.elapsed_s

    def after_step(self, progress: float, **values: float) -> None:
        """
        Note the values of a step and do what is due.

        :param progress: share of the run that is over; 1 or more after the last step
        """
        for name, value in values.items():
            self._values[name].append(value)
        self._show(progress, loss=values['loss'])
        if self._trainer.num_steps % _LOG_EVERY and progress < 1:
            return
        self._log()
        part = int(self._num_parts * progress)
        is_due, self._part = part > self._part, part
        if is_due and self._validate:
            recall = self._validate()
            self._run.log(step=self._trainer.num_steps, **recall)
            self._show(progress, **recall)
            self._bar.write(learning_report(self._run.metrics()))
        if is_due and (self._validate or progress >= 1):
            plot_curves(self._run)
        # The checkpoint comes last: what is logged after it, a resumed run logs again.
        if is_due or self._trainer.elapsed_s - self._last_save_s > self._save_every_s:
            self._run.save_checkpoint(self._trainer.state())
            self._last_save_s = self._trainer.elapsed_s

    def _log(self) -> None:
        """Log the means; loading_share is how much of a step is waiting for data."""
        means = {name: float(np.mean(values)) for name, values in self._values.items()}
        self._values.clear()
        step_s = means.pop('step_s')
        self._run.log(
            step=self._trainer.num_steps,
            elapsed_s=round(self._trainer.elapsed_s, 1),
            step_s=round(step_s, 4),
            loading_share=round(means.pop('loading_s') / step_s, 4),
            **means,
        )

    def _show(self, progress: float, **values: float) -> None:
        self._shown |= {name: f'{value:.3g}' for name, value in values.items()}
        # In a run of some minutes the number of steps is an estimate.
        self._bar.total = round(self._trainer.num_steps / progress)
        self._bar.set_postfix(self._shown, refresh=False)
        self._bar.update(self._trainer.num_steps - self._bar.n)


@contextmanager
def monitored(
    run: RunFolder[Any],
    trainer: Stepper[Any],
    validate: Validate | None,
    progress: float,
    save_every_s: float,
    num_validations: int,
) -> Iterator[Monitor]:
    """
    Yield a monitor and show its progress bar meanwhile.

    :param num_validations: over the whole run
    """
    with tqdm(
        initial=trainer.num_steps,
        unit='step',
        dynamic_ncols=True,
        mininterval=SECONDS_BETWEEN,
    ) as bar:
        yield Monitor(run, trainer, validate, progress, save_every_s, num_validations, bar)
