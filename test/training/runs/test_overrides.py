# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check options given as text: they change what they name and are refused otherwise."""

import pytest
from ssd_ros.training.config import TrainingConfig
from ssd_ros.training.runs.overrides import with_settings


def test_settings_change_what_they_name_and_nothing_else() -> None:
    config = with_settings(
        TrainingConfig(),
        ['batch.num_places=16', 'network.channels=[4, 8]', 'optimiser.learning_rate=1e-4'],
    )
    assert config.batch.num_places == 16
    assert config.network.channels == (4, 8)
    assert config.optimiser.learning_rate == 1e-4
    assert config.loss == TrainingConfig().loss


def test_the_last_of_two_settings_of_an_option_wins() -> None:
    assert with_settings(TrainingConfig(), ['seed=1', 'seed=2']).seed == 2


@pytest.mark.parametrize(
    ('setting', 'message'),
    [
        ('seed', "'seed' is no setting, expected such as"),
        ('=1', "'=1' is no setting"),
        ('sead=1', 'unknown option sead; choose from'),
        ('batch.places=1', r'unknown option batch\.places'),
        ('seed.value=1', 'seed.value is no option: seed has none'),
        ('no.such.option=1', 'unknown option no; choose from'),
        ('seed=one', "seed is 'one', expected int"),
        ('seed=[', r'the value of seed=\[ is not YAML'),
        ('distillation.scheme=best', "distillation.scheme is 'best'; choose from none"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(setting: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        with_settings(TrainingConfig(), [setting])
