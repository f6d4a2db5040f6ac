# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Train a teacher and students on a small cache by the command, and use what it writes."""

from dataclasses import replace
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.bev.density_image import density_image_of_lidar
from ssd_ros.bev.preprocessing import CloudPreprocessor
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.evaluation.bev_cache import cache_drive, load_drives, Spacing
from ssd_ros.evaluation.lidar_pairs import lidar_pairs, lidar_points
from ssd_ros.recognition.answer import RecognizerConfig
from ssd_ros.recognition.offline.drive_map import map_of_clouds
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from ssd_ros.shared_files import shared_file
from ssd_ros.training.config import record_from_yaml
from ssd_ros.training.fourdral.command import main
from ssd_ros.training.fourdral.config import FourdralConfig
from ssd_ros.training.fourdral.report import RUNS
from ssd_ros.training.fourdral.trainer import FourdralRun, FourdralTrainer, trained_network
from ssd_ros.training.networks.density_encoders import DensityEncoder, ImageEncoder
from support.drives.tiny import PolesDrive
import torch
import yaml

TINY = {
    'preprocessing': {'num_scans': 1, 'density': {'num_cells': 64}},
    'network': {'width': 8},
    'batch': {'num_queries': 4, 'num_negatives': 2},
    'optimiser': {'num_epochs': 4, 'max_queries': 12},
    'num_threads': 1,
    'bfloat16': False,
}


@pytest.fixture(scope='module')
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a cache, a configuration, a teacher and both students."""
    root = tmp_path_factory.mktemp('fourdral')
    (root / 'tiny.yaml').write_text(yaml.safe_dump(TINY))
    options = record_from_yaml(root / 'tiny.yaml', FourdralConfig).preprocessing
    for split, worlds in (('train', (0, 1)), ('validation', (2,))):
        for world in worlds:
            for number in (1, 2):
                directory = root / 'cache' / split / f'{world}_{number}'
                cache_drive(PolesDrive(world, number), directory, options, Spacing(8.0, 8.0))
    assert run(root, 'runs', 'r2r') == 0
    assert run(root, 'runs', 'r2l') == 0
    return root


def run(root: Path, out: str, task: str, *arguments: str) -> int:
    return main(
        [
            *('--cache', str(root / 'cache'), '--config', str(root / 'tiny.yaml')),
            *('--out', str(root / out), '--task', task, '--validations', '2'),
            *('--components', '16', '--device', 'cpu', *arguments),
        ]
    )


def weights(directory: Path) -> dict[str, torch.Tensor]:
    state = FourdralRun(directory).load_checkpoint()
    assert state is not None
    networks: dict[str, torch.Tensor] = state['networks']
    return networks


def test_the_runs_say_how_they_came_along(places: Path) -> None:
    for task, terms in (
        ('teacher', {'metric_loss'}),
        ('r2r', {'metric_loss', 'enhancement_loss', 'imitation_loss', 'relational_loss'}),
        ('r2l', {'metric_loss', 'enhancement_loss', 'relational_loss'}),
    ):
        run = FourdralRun(places / 'runs' / task)
        assert run.config.task == ('l2l' if task == 'teacher' else task)
        metrics = run.metrics()
        assert metrics[-1]['step'] == 12  # 4 epochs of 12 queries, 4 at a time
        logged = {name for line in metrics for name in line if name.endswith('_loss')}
        assert logged == terms
        recalls = [line['multi_session'] for line in metrics if 'multi_session' in line]
        assert len(recalls) == 2
        assert run.origin['start_from'] == ('' if task == 'teacher' else 'teacher')
        assert (run.directory / 'curves.png').is_file()


def test_the_weights_that_were_best_on_validation_are_those_that_ship(places: Path) -> None:
    run = FourdralRun(places / 'runs' / 'r2l')
    state = run.load_checkpoint()
    assert state is not None
    recalls = {
        line['step']: line['multi_session'] for line in run.metrics() if 'multi_session' in line
    }
    best = max(recalls, key=lambda step: (recalls[step], -step))
    network, step = trained_network(run)
    assert (step, state['best']['recall']) == (best, recalls[best])
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(tensor, state['best']['weights'][name])


def images(places: Path, world: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return images of 4D radar and LiDAR as the node would make them, by the model's contract."""
    encoder = OnnxEncoder(places / 'runs/r2l/models/student.onnx', 'cpu')
    preprocessing = encoder.contract.preprocessing
    assert preprocessing.density is not None
    drive = PolesDrive(world, 1)
    pairs = lidar_pairs(drive, np.arange(drive.num_scans), drive.cloud_poses)
    clouds = [
        CloudPreprocessor(preprocessing).process(drive.cloud(pair.cloud)).bev for pair in pairs
    ]
    lidar = [
        density_image_of_lidar(lidar_points(drive, pair), preprocessing.density) for pair in pairs
    ]
    return np.stack(clouds), np.stack(lidar)


def test_one_student_encodes_both_sensors_into_one_space(places: Path) -> None:
    directory = places / 'runs/r2l/models'
    student = OnnxEncoder(directory / 'student.onnx', 'cpu', expected_sensor='4d')
    mapped = OnnxEncoder(directory / 'lidar.onnx', 'cpu', expected_sensor='lidar')
    assert student.contract.descriptor_space == mapped.contract.descriptor_space
    assert student.contract.descriptor_size == 16
    clouds, lidar = images(places, 5)
    network, _ = trained_network(FourdralRun(places / 'runs/r2l'))
    whole = ImageEncoder(network)
    for encoder, shown in ((student, clouds), (mapped, lidar)):
        descriptors = encoder.encode_batch(shown)
        assert descriptors.shape == (10, 16)
        np.testing.assert_allclose(encoder.encode(shown[3]), descriptors[3], atol=1e-5)
        with torch.inference_mode():
            long = whole(torch.from_numpy(shown)[:, None]).numpy()
        # The directions of the training drives hold almost all of those of others.
        np.testing.assert_allclose(descriptors @ descriptors.T, long @ long.T, atol=0.05)


def test_maps_and_queries_of_4d_radar_are_made_by_the_contract(places: Path) -> None:
    encoder = OnnxEncoder(places / 'runs/r2r/models/student.onnx', 'cpu')
    few = RecognizerConfig(min_points=1, verified_candidates=0)
    drive = PolesDrive(5, 1)
    database = map_of_clouds(drive, encoder, 8.0, config=few)
    clouds, _ = images(places, 5)
    np.testing.assert_allclose(database.descriptors(), encoder.encode_batch(clouds), atol=1e-5)
    recognizer = PlaceRecognizer(encoder, [database], few)
    best = recognizer.process(drive.cloud(6)).candidates[0]
    assert best.distance == pytest.approx(0, abs=2e-3)  # of inner products in float32


def test_the_models_of_other_tasks_are_of_their_sensors_alone(places: Path) -> None:
    assert sorted(path.name for path in (places / 'runs/r2r/models').iterdir()) == ['student.onnx']
    assert sorted(path.name for path in (places / 'runs/teacher/models').iterdir()) == [
        'lidar.onnx'
    ]
    evaluation = json.loads((places / 'runs/r2r/validation.json').read_text())
    assert evaluation['results'][0]['task'] == '4d'
    assert evaluation['settings']['task'] == 'r2r'


def test_the_same_command_again_only_exports(
    places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = weights(places / 'runs/r2r')
    assert run(places, 'runs', 'r2r', '--components', '0') == 0
    for name, tensor in weights(places / 'runs/r2r').items():
        torch.testing.assert_close(tensor, before[name], rtol=0, atol=0)
    printed = capsys.readouterr().out
    assert 'R@1 within 25 m on validation, simulated' in printed
    size = DensityEncoder(FourdralRun(places / 'runs/r2r').config.network).config.width * 4 * 4
    encoder = OnnxEncoder(places / 'runs/r2r/models/student.onnx', 'cpu')
    assert encoder.contract.descriptor_size == size  # 32 channels, 2 x 2 features
    assert '+0.00 points' in printed


def test_a_student_can_have_the_teacher_of_another_folder_and_start_from_it(places: Path) -> None:
    teacher = places / 'runs' / 'teacher'
    arguments = ('--teacher', str(teacher), '--set', 'start=teacher', '--epochs', '1')
    assert run(places, 'started', 'r2r', *arguments) == 0
    assert not (places / 'started' / 'teacher').exists()
    config = FourdralRun(places / 'started/r2r').config
    network, _ = trained_network(FourdralRun(teacher))
    begun = FourdralTrainer(config, 1, network).network
    for name, tensor in network.trunk.state_dict().items():
        torch.testing.assert_close(begun.trunk.state_dict()[name], tensor)


def test_a_student_without_a_teacher_and_a_cache_of_other_images_are_refused(
    places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = FourdralRun(places / 'runs/r2r').config
    with pytest.raises(ValueError, match='task r2r needs a teacher'):
        FourdralTrainer(config, 1)
    assert run(places, 'other', 'l2l', '--teacher', str(places / 'runs/teacher')) == 1
    assert '--teacher is for a student' in capsys.readouterr().err
    assert run(places, 'other', 'r2r', '--set', 'preprocessing.density.num_cells=80') == 1
    assert 'was cached with another preprocessing' in capsys.readouterr().err


def rows_of(printed: str) -> list[list[str]]:
    """Return the cells of the lines of tables, heads among them."""
    return [
        [cell.strip() for cell in line.split('|')[1:-1]]
        for line in printed.splitlines()
        if line.startswith('| ')
    ]


def test_what_each_part_and_choice_adds_is_told_for_rows_of_the_same_seeds(
    places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ('--teacher', str(places / 'runs/teacher'), '--epochs', '1', '--ablate', '3', '4')
    assert run(places, 'parts', 'r2l', *arguments) == 0
    first = rows_of(capsys.readouterr().out)
    assert run(places, 'parts', 'r2l', *arguments) == 0
    again = rows_of(capsys.readouterr().out)
    assert again == first[-8:]
    *rows, heads, everywhere, no_margin = again[1:]
    assert [row[:2] for row in rows] == [
        [parts, '3 4'] for parts in ('none', 'LIE', 'LIE+FDD', 'LIE+RD')
    ]
    assert [row[-1] for row in rows] == ['16.5', '28.4', '22.5', '34.8']  # theirs
    assert rows[0][3:5] == ['', '']
    recalls = [float(row[2].split()[0]) for row in rows]
    for column, before in ((3, [recalls[0]] * 4), (4, recalls)):
        for number in (1, 2, 3):
            gained = 100 * (recalls[number] - before[number - 1 if column == 4 else 0])
            assert float(rows[number][column].split()[0]) == pytest.approx(gained, abs=0.11)
    assert heads[0] == 'LIE+RD but'
    for row, name, theirs in (
        (everywhere, 'LIE global', '-9.1'),
        (no_margin, 'RD without margin', ''),
    ):
        assert (row[0], row[1], row[4]) == (name, '3 4', theirs)
        lost = 100 * (float(row[2].split()[0]) - recalls[3])
        assert float(row[3].split()[0]) == pytest.approx(lost, abs=0.11)
    assert not FourdralRun(places / 'parts/r2l_LIE_global_3').config.loss.is_local
    config = FourdralRun(places / 'parts/r2l_LIE+FDD_4').config
    assert (config.seed, config.network.imitates, config.loss.relational) == (4, ('r2l',), 0)
    assert not (places / 'parts' / 'r2l').exists()


def test_what_is_trained_is_asked_on_other_caches_beside_the_papers_numbers(
    places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on = ('--evaluate-on', 'validation', '--radius', '12')
    assert run(places, 'runs', 'r2r', *on) == 0
    printed = capsys.readouterr().out
    assert 'Simulated radar, right within 12 m' in printed
    lines = [line for line in printed.splitlines() if line.startswith('| ')]
    heads = lines[0].split('|')[2:-1]
    assert [head.partition(':')[0].strip() for head in heads] == list(RUNS.values())
    # One session asks, so that it is all.
    assert lines[1].split('|')[2:] == lines[2].split('|')[2:]
    assert '96.1 / 96.3 / 96.5' in printed
    assert run(places, 'nothing', 'r2r', *on) == 1
    assert 'has none of the runs teacher, r2r, r2l: train first' in capsys.readouterr().err
    assert run(places, 'no_parts', 'l2l', '--ablate', '0') == 1
    assert '--ablate is for a student' in capsys.readouterr().err


def test_validation_without_a_second_drive_says_what_is_missing(places: Path) -> None:
    config = FourdralRun(places / 'runs/r2r').config
    network, _ = trained_network(FourdralRun(places / 'runs/teacher'))
    drives = load_drives(places / 'cache/validation', config.preprocessing)
    trainer = FourdralTrainer(config, 1, network)
    with pytest.raises(ValueError, match='can be asked in another for task r2r'):
        trainer.recall(drives[:1])


def test_the_rate_falls_at_the_milestones() -> None:
    trainer = FourdralTrainer(FourdralConfig(task='l2l', num_threads=1), 10)
    assert trainer.total_steps == 400
    rates = [trainer.learning_rate(progress) for progress in (0, 0.49, 0.5, 0.74, 0.75, 1)]
    assert rates == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5])


def test_the_full_recipe_is_the_papers_and_the_small_one_a_quarter_of_it() -> None:
    full = record_from_yaml(shared_file('config/fourdral.yaml'), FourdralConfig)
    assert full.preprocessing.window_m == 5
    single_frames = replace(full.preprocessing, window_m=0.0)
    assert replace(full, preprocessing=single_frames) == FourdralConfig()
    small = record_from_yaml(shared_file('config/fourdral_small.yaml'), FourdralConfig)
    assert (small.network.width, small.density.num_cells) == (16, 100)
    assert small.loss == full.loss
    assert small.batch == full.batch


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'task': 'r2d2'}, "task is 'r2d2'; choose from l2l, r2r, r2l"),
        ({'start': 'end'}, "start is 'end'; choose from scratch, teacher"),
        ({'preprocessing': {}}, 'preprocessing.density is missing'),
        ({'loss': {'divergence': 'js'}}, "loss.divergence is 'js'; choose from bernoulli"),
        ({'loss': {'negatives': 'none'}}, "loss.negatives is 'none'; choose from lidar, 4d, both"),
        ({'batch': {'num_queries': 0}}, 'batch.num_queries is 0, expected at least 1'),
        ({'batch': {'negative_radius_m': 5}}, 'batch.negative_radius_m is 5.0, expected at least'),
        ({'optimiser': {'num_epochs': 0}}, 'optimiser.num_epochs is 0'),
    ],
)
def test_impossible_options_are_named(
    tmp_path: Path, options: dict[str, object], message: str
) -> None:
    (tmp_path / 'config.yaml').write_text(yaml.safe_dump(options))
    with pytest.raises(ValueError, match=message):
        record_from_yaml(tmp_path / 'config.yaml', FourdralConfig)
