# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Trials that models have passed, kept for the next start in the user's cache, a file each.

A file that others may have written, that is damaged, or of another model or machine counts for
nothing: the model is tried.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ssd_ros import __version__
from ssd_ros.encoders.providers.machine import machine_words
from ssd_ros.reading import read_json
from ssd_ros.targets import remove_file, write_own_json
from ssd_ros.user_paths import user_cache

MAX_BYTES = 1 << 20
MAX_PASSES = 100

_logger = logging.getLogger(__name__)


def passes_folder() -> Path:
    """
    Return where passes are kept.

    :raise ValueError: the user has no home
    """
    return user_cache() / 'passed_models'


def kept_pass(model: str, shape: tuple[int, ...]) -> tuple[NDArray[np.float32], float] | None:
    """
    Return what a trial found on this machine, with these libraries; None if it is not known.

    :param model: SHA-256 of the file
    :param shape: of the descriptors of the probe images
    :return: those, and the milliseconds that an image took
    """
    try:
        values = read_json(_file_of(model), MAX_BYTES, 'a passed trial', is_own=True)
        if (values['machine'], values['model']) != (_where(), model):
            raise ValueError(f'{_file_of(model)} is of another model or machine')
        content = base64.b64decode(values['descriptors'], validate=True)
        return np.frombuffer(content, '<f4').reshape(shape), float(values['ms'])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        _logger.warning(f'the model is tried again: {error or type(error).__name__}')
        return None


def keep_pass(model: str, descriptors: NDArray[np.float32], ms: float) -> None:
    """Keep what a trial found, if there is a place for it; the oldest go."""
    content = base64.b64encode(descriptors.astype('<f4').tobytes()).decode()
    values = {'machine': _where(), 'model': model, 'ms': ms, 'descriptors': content}
    try:
        write_own_json(_file_of(model), values)
        for old in sorted(passes_folder().glob('*.json'), key=_age)[MAX_PASSES:]:
            remove_file(old)
    except (OSError, ValueError) as error:
        _logger.warning(f'models are tried at each start: {error}')


def _file_of(model: str) -> Path:
    name = hashlib.sha256(f'{_where()}\n{model}'.encode()).hexdigest()
    return passes_folder() / f'{name}.json'


def _where() -> str:
    return f'ssd_ros {__version__}, {machine_words()}'


def _age(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except FileNotFoundError:  # another process was quicker
        return 0.0
