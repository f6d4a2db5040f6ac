# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that the card of models says what they were trained on, and no more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ssd_ros.evaluation.bev_cache import load_drives
from ssd_ros.evaluation.queries.protocol import Protocol
from ssd_ros.evaluation.scores.acceptance import Acceptance
from ssd_ros.training.config import TrainingConfig
from ssd_ros.training.export.model_card import model_card, Report
from ssd_ros.training.runs.folder import Run
from ssd_ros.training.runs.train import description
from ssd_ros.training.runs.trainer import Trainer

ACCEPTANCE = Acceptance(0.5, 0.9, 0.99, 0.4)


def card_of(
    folder: Path, config: TrainingConfig, stages: tuple[str, ...], validated_on: str
) -> str:
    before = None
    for number, kind in enumerate(stages):
        run = Run(folder / f'stage_{number}')
        run.start(config, 'worlds', 64, before, kind)
        run.save_checkpoint(Trainer(config).state())
        before = run.directory
    return model_card(run, Report(ACCEPTANCE, 'float32', {}, Protocol(), [], validated_on))


@pytest.mark.parametrize(
    ('stages', 'validated_on', 'words'),
    [
        (('simulated',), 'simulated', 'Trained on simulated radar only.'),
        (('recorded',), 'recorded', 'Trained on recorded radar.** Recall below is on recorded'),
        (('unknown',), 'unknown', 'Trained on radar of unknown origin.'),
        (('simulated', 'recorded'), 'recorded', 'Trained on radar of mixed origin.'),
        (('simulated',), 'recorded', 'Trained on simulated radar.** Recall below is on recorded'),
    ],
)
def test_the_card_says_what_the_runs_were_trained_on(
    tmp_path: Path,
    tiny_config: TrainingConfig,
    stages: tuple[str, ...],
    validated_on: str,
    words: str,
) -> None:
    card = card_of(tmp_path, tiny_config, stages, validated_on)
    assert f'**{words}' in card
    is_simulated = {*stages, validated_on} == {'simulated'}
    for text in (
        'simulated radar only',
        'City streets only',
        'cache --benchmark train ',
        'in rain',
    ):
        assert (text in card) == is_simulated
    is_recorded = {*stages, validated_on} == {'recorded'}
    assert ('nothing of a real vehicle' in card) == (not is_simulated and not is_recorded)
    assert f'Recall on validation worlds, {validated_on}' in card or validated_on == 'unknown'


def test_the_card_repeats_the_splits_and_windows_that_were_trained_on(
    tmp_path: Path, tiny_config: TrainingConfig
) -> None:
    config = replace(tiny_config, splits=('train_wide', 'train_wide_20m'))
    card = card_of(tmp_path, config, ('simulated',), 'simulated')
    lines = card.replace(' \\\n       ', '').splitlines()
    caches = [line.split(' cache ')[1] for line in lines if ' cache ' in line]
    assert caches == [
        '--benchmark train_wide --config config/training_fixed.yaml --out runs/cache',
        '--benchmark train_wide --config config/training_fixed.yaml --out runs/cache '
        '--window 20 --only 4d',
        '--benchmark validation --config config/training_fixed.yaml --out runs/cache',
    ]
    assert 'City streets only' not in card


def test_many_worlds_are_counted_by_kind(tiny_cache: Path, tiny_config: TrainingConfig) -> None:
    (first, *_) = load_drives(tiny_cache / 'train', tiny_config.preprocessing)
    kinds = ['Sim_Town'] * 12 + ['Sim_Tunnel'] * 9
    drives = [replace(first, world=f'{kind}_{n:04}') for n, kind in enumerate(kinds)]
    assert description(drives).endswith('21 training worlds: 12 Sim_Town, 9 Sim_Tunnel')


def test_the_card_says_whether_gain_shows_in_the_images(
    tmp_path: Path, tiny_config: TrainingConfig
) -> None:
    images = tiny_config.preprocessing
    by_content = replace(
        images,
        cloud=replace(images.cloud, normalisation='content'),
        scan=replace(images.scan, normalisation='content'),
    )
    for name, preprocessing, words in (
        ('fixed', images, 'differ in gain, noise'),
        ('content', by_content, 'do not depend on the gain'),
    ):
        config = replace(tiny_config, preprocessing=preprocessing)
        card = card_of(tmp_path / name, config, ('simulated',), 'simulated')
        assert words in ' '.join(card.split())
