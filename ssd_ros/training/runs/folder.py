# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The folder of a training run: configuration, origin, metrics, checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timezone
import fcntl
import io
import json
import os
from pathlib import Path
import subprocess
from typing import Any, Generic, TypeVar

from ssd_ros.data_origin import UNKNOWN
from ssd_ros.files import full_disk_named
from ssd_ros.reading import MAX_JSON_BYTES, read_json, read_text
from ssd_ros.targets import (
    check_working_folder,
    ELSEWHERE,
    GENERATOR,
    TargetError,
    write_file,
    write_json,
)
from ssd_ros.training.config import load_config, TrainingConfig
import torch
import yaml

_METRICS_MARK = rb'^{"step": '
_CHECKPOINT_MARK = rb'archive/data\.pkl'
# What a run writes; none of it may be there before.
_FILES = (
    'origin.json',
    'metrics.jsonl',
    'checkpoint.pt',
    'curves.png',
    'evaluation.json',
    'log.txt',
)


Config = TypeVar('Config')


class RunFolder(Generic[Config]):
    """
    One folder under runs/, whatever is trained.

    `config.yaml` and `origin.json` are written once, `metrics.jsonl` grows, `checkpoint.pt` is
    replaced whole. The checkpoint holds tensors and numbers only and is read as such.
    """

    def __init__(self, directory: Path, read: Callable[[Path], Config]) -> None:
        """
        Name a folder, which need not be there yet.

        :param read: a configuration from its file
        """
        self.directory = directory
        self._read = read
        self.metrics_path = directory / 'metrics.jsonl'
        self._checkpoint = directory / 'checkpoint.pt'

    def start(
        self,
        config: Config,
        training_data: str,
        num_places: int,
        start_from: Path | None = None,
        data_origin: str = UNKNOWN,
    ) -> None:
        """
        Record what is run, or check that a run to go on with had the same configuration.

        :param num_places: 4D images to train on: an epoch
        :param start_from: folder of the run whose weights this one starts from
        :param data_origin: kind of the training data
        :raise ValueError: the folder holds a run of another configuration
        """
        path = self.directory / 'config.yaml'
        if path.exists():
            if self.config != config:
                raise ValueError(
                    f'{path} differs from the configuration asked for: choose another --out'
                )
            return
        for name in _FILES:
            if (self.directory / name).exists():
                raise TargetError(
                    f'{self.directory} holds {name!r} of something else: {ELSEWHERE}'
                )
        origin = {
            'commit': commit_of_source(),
            'created': datetime.now(timezone.utc).date().isoformat(),
            'training_data': training_data,
            'data_origin': data_origin,
            'num_places': str(num_places),
            'torch': torch.__version__,
            'start_from': _beside(self.directory, start_from) if start_from else '',
        }
        write_json(self.directory / 'origin.json', origin)
        options = asdict(config)  # type: ignore[call-overload]
        plain = json.loads(json.dumps(options))  # tuples become lists
        text = f'# {GENERATOR}\n{yaml.safe_dump(plain, sort_keys=False)}'
        write_file(path, text.encode())

    @property
    def config(self) -> Config:
        """The configuration of the run."""
        return self._read(self.directory / 'config.yaml')

    @property
    def origin(self) -> dict[str, str]:
        """Commit, date and training data of the run."""
        path = self.directory / 'origin.json'
        values = read_json(path, MAX_JSON_BYTES, 'the origin of a run')
        if not isinstance(values, dict) or not str(values.get('num_places')).isdecimal():
            raise ValueError(f'{path} does not tell the origin of a run: it has no num_places')
        return {name: str(value) for name, value in values.items()}

    @property
    def last_step(self) -> int:
        """The last step logged, 0 if none is."""
        return max((line['step'] for line in self.metrics()), default=0)

    def log(self, **values: Any) -> None:
        """Append one line to the metrics."""
        with full_disk_named(self.metrics_path), self.metrics_path.open('a') as file:
            file.write(json.dumps(values) + '\n')

    def metrics(self) -> list[dict[str, Any]]:
        """Return the lines of the metrics; one that a kill cut short is left out."""
        if not self.metrics_path.exists():
            return []
        *lines, _ = read_text(self.metrics_path, MAX_JSON_BYTES, 'metrics').split('\n')
        return [json.loads(line) for line in lines]

    def forget_after(self, step: int) -> None:
        """Drop the metrics of steps after the checkpoint: they are about to be taken again."""
        kept = [json.dumps(line) + '\n' for line in self.metrics() if line['step'] <= step]
        write_file(self.metrics_path, ''.join(kept).encode(), _METRICS_MARK)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """
        Keep other processes from training the same run.

        :raise ValueError: one does
        """
        check_working_folder(self.directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / '.lock').open('a') as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ValueError(
                    f'another process is training {self.directory}: wait for it or choose '
                    'another --out'
                ) from None
            yield

    def save_checkpoint(self, state: dict[str, Any]) -> None:
        """Replace the checkpoint."""
        buffer = io.BytesIO()
        torch.save(state, buffer)
        write_file(self._checkpoint, buffer.getvalue(), _CHECKPOINT_MARK)

    def load_checkpoint(self) -> dict[str, Any] | None:
        """Return the checkpoint, None if there is none yet."""
        if not self._checkpoint.exists():
            return None
        state: dict[str, Any] = torch.load(self._checkpoint, map_location='cpu', weights_only=True)
        return state


class Run(RunFolder[TrainingConfig]):
    """A run of teacher and student of polar BEVs."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, load_config)

    @property
    def started_from(self) -> Run | None:
        """
        The run whose weights this one started from, None if it started from none.

        :raise ValueError: it is not where it was
        """
        if not (recorded := self.origin['start_from']):
            return None
        before = Run(self.directory.resolve().parent / recorded)
        if not (before.directory / 'origin.json').is_file():
            raise ValueError(
                f'{self.directory} started from the run {before.directory}, which is not there: '
                'put it back, or make a link to it'
            )
        return before

    @property
    def steps_per_epoch(self) -> float:
        """Steps in which as many places are drawn as there are."""
        return int(self.origin['num_places']) / self.config.batch.num_places


def _beside(directory: Path, other: Path) -> str:
    """Return the way to another folder from the one that a folder lies in: a name, if both do."""
    return os.path.relpath(other.resolve(), directory.resolve().parent)


def commit_of_source() -> str:
    """Return the git commit of this code, with `+changes` if files differ, else 'unknown'."""
    git = ['git', '-C', str(Path(__file__).parent)]
    try:
        head = subprocess.run([*git, 'rev-parse', 'HEAD'], capture_output=True, text=True)
        changes = subprocess.run(
            [*git, 'status', '--porcelain', '--untracked-files=no'], capture_output=True, text=True
        )
    except OSError:
        return 'unknown'
    if head.returncode != 0:
        return 'unknown'
    return head.stdout.strip() + ('+changes' if changes.stdout.strip() else '')
