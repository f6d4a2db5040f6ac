# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The text that goes with the models: what they were made of, how good they are, their limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import re

from ssd_ros.data_origin import kind_of, radar_of, RECORDED, SIMULATED, UNKNOWN
from ssd_ros.evaluation.queries.protocol import Protocol
from ssd_ros.evaluation.scores.acceptance import Acceptance
from ssd_ros.evaluation.scores.results import Result
from ssd_ros.training.config import TrainingConfig
from ssd_ros.training.network_config import NetworkConfig, NETWORKS
from ssd_ros.training.runs.folder import Run


@dataclass(frozen=True, slots=True)
class Report:
    """
    What the export measured.

    :param parity: largest difference to the network for each file, in float32
    :param validated_on: kind of origin of the validation drives
    :param numbers: of the convolutions in the files, float32 or int8
    """

    acceptance: Acceptance
    numbers: str
    parity: Mapping[str, float]
    protocol: Protocol
    results: Sequence[Result]
    validated_on: str


_RAIN = """Session 03 is driven in rain, in winter, with the 4D radar mounted 0.5 degrees askew.
"""
_FIXED = """\
- The thresholds and pixel brightness fit the sensors of these data. Others differ in gain, noise
  and antenna: train on their data before use.
"""
_BY_CONTENT = """\
- The thresholds fit the sensors of these data. Images do not depend on the gain of others, but
  those differ in noise and antenna, too: train on their data before use.
"""
_CITY = (
    '- City streets only: blocks of buildings, parks and squares. No tunnels, motorways or open '
    'country.\n'
)
# What the name of a split of images of another kind ends with: a length of way.
_KIND = re.compile(r'_(submap)?([0-9.]+)m$')
_OTHER_DATA = '    # runs/cache/train and runs/cache/validation: these drives, by `ssd_ros cache`'


def _data(trained_on: str, validated_on: str) -> str:
    """Return what the models were made of, and what that means."""
    if trained_on == validated_on == SIMULATED:
        return (
            '**Trained on simulated radar only.** No real radar frame was used in training or '
            'validation, so\nnothing here says how well they work on a real vehicle. Recall below '
            'is recall in simulation.'
        )
    text = f'**Trained on {radar_of(trained_on)}.** Recall below is on {radar_of(validated_on)}.'
    if {trained_on, validated_on} == {RECORDED}:
        return text
    return f'{text} What is not\nknown to be recorded says nothing of a real vehicle.'


def model_card(run: Run, report: Report) -> str:
    """Return the card as Markdown."""
    trained_on = kind_of(stage.origin.get('data_origin', UNKNOWN) for stage in history(run))
    is_simulated = trained_on == report.validated_on == SIMULATED
    sections = [
        '# Models\n',
        _data(trained_on, report.validated_on) + '\n',
        _files(run.config),
        _training(run),
        _recall(report, is_simulated),
        _limits(run.config, is_simulated),
        _reproduction(run, report.protocol, is_simulated),
    ]
    return '\n'.join(sections)


def _files(config: TrainingConfig) -> str:
    """Return what each file takes and gives."""
    network, grid = config.network, config.preprocessing.grid
    return f"""\
| file | encodes | input | output |
|---|---|---|---|
| `student.onnx` | 4D radar, {config.preprocessing.window_words} | \
`polar_bev` uint8 (N, 1, {grid.num_ranges}, {grid.num_azimuths}) | \
`descriptor` float32 (N, {network.descriptor_size}), unit length |
| `teacher.onnx` | spinning radar, one scan as {network.num_views} views of \
{grid.fov_deg:.0f} degrees | `panorama` uint8 (N, 1, {grid.num_ranges}, \
{grid.panorama_azimuths}) | `descriptors` float32 (N, {network.num_views}, \
{network.descriptor_size}), the same space |

Each file carries its contract (preprocessing, descriptor size and space, acceptance thresholds,
training data, commit) in its ONNX metadata; `ssd_ros.encoders.network.OnnxEncoder` checks it. Only
descriptors of the same training run can be compared.

`confidence.json` says from which confidence on candidates are accepted, in maps of either radar
and of LiDAR, which no model was trained on.
`trust --fit` makes it on validation drives; other models need another one.
`scan_context.json` and `scan_context_confidence.json`, where they are, belong to the encoder that
needs no training (`--encoder scan_context`).
"""


def _training(run: Run) -> str:
    """Return what was trained, on what and for how long."""
    origin = run.origin
    return f"""## Training

- data: {origin['training_data']}
- code at commit `{origin['commit']}`, {origin['created']}
{_stages(run)}
- network: {_network(run.config.network)}
"""


def _recall(report: Report, is_simulated: bool) -> str:
    """Return how good the models are on validation, and what is accepted there."""
    protocol, acceptance = report.protocol, report.acceptance
    rows = '\n'.join(_row(result) for result in report.results)
    parity = ', '.join(f'{file} {value:.1e}' for file, value in report.parity.items())
    return f"""## Recall on validation worlds, {radar_of(report.validated_on)}

Worlds that training never saw; 4D queries every {protocol.query_m:g} m in a map of
keyframes every {protocol.keyframe_m:g} m with {protocol.num_views} views each, made
of session 01. Right is within {protocol.radius_m:g} m. In brackets the 95 % interval of a
bootstrap over stretches of the drive; it does not cover the choice of worlds or seeds.

| queries | map | number | left out | R@1 | R@5 | yaw error, median |
|---|---|---|---|---|---|---|
{rows}

{_RAIN if is_simulated else ''}These worlds were looked at while settings were chosen, and set
the thresholds: expect a little less elsewhere.

Acceptance: a candidate counts as accepted at a distance up to {acceptance.max_distance:.3f}
and a ratio up to {acceptance.max_ratio:.3f}. On the validation queries of the sessions 02
and 03, put to the map of their own world and of the other world, that accepted
{acceptance.recall:.0%} of the queries rightly, at a precision of
{acceptance.precision:.1%}.

Largest difference between the ONNX graphs in float32 and the trained network: {parity}.
The convolutions in the files compute in {report.numbers}.
"""


def _limits(config: TrainingConfig, is_simulated: bool) -> str:
    """Return what the models are for."""
    return f"""## Use and limits

- For place recognition of an automotive 4D radar in a map of spinning radar scans, in research.
  Verify a candidate geometrically before a vehicle relies on it.
{_BY_CONTENT if config.preprocessing.is_by_content else _FIXED}\
{_CITY if is_simulated and config.splits == ('train',) else ''}"""


def _reproduction(run: Run, protocol: Protocol, is_simulated: bool) -> str:
    """Return the commands that make the models again."""
    return f"""## Reproduce

{_cache_commands(run.config) if is_simulated else _OTHER_DATA}
{_commands(run)}
    python -m ssd_ros export --cache runs/cache --run runs/{run.directory.name} \\
        --keyframe-distance {protocol.keyframe_m:g} \\
        --query-spacing {protocol.query_m:g} --num-views {protocol.num_views}

A run that was given minutes instead of steps ends its schedule by the clock, and one that another
started from may have been stopped before its end: these commands repeat steps and seeds, not
learning rates and bits.
"""


def _network(network: NetworkConfig) -> str:
    """Return the architecture in words."""
    channels = ', '.join(map(str, network.channels))
    if network.architecture == 'radar_to_lidar':
        return (
            'Radar-to-LiDAR (Yin et al., 2021), mended, one for both sensors,\n'
            f'  {channels} channels'
        )
    if network.architecture == 'autoplace':
        square = network.cartesian
        return (
            f"AutoPlace's spatial encoder (arXiv 2109.08652), one for both sensors, {channels}\n"
            f'  channels, on {square.num_cells} x {square.num_cells} cells of {square.cell_m:g} m '
            'ahead of the radar'
        )
    kind = 'ResNet' if network.block == 'residual' else 'Convolutions trained as three branches'
    text = (
        f'{kind} with {channels} channels at stride\n'
        f'  {network.stride} for each sensor, one HOLMES pooling shared by both'
    )
    if not network.position_octaves:
        return text
    return text + (
        ';\n  range and azimuth are added to each feature before pooling, unlike in the papers'
    )


def history(run: Run) -> list[Run]:
    """
    Return the run behind the runs whose weights it started from, the first one first.

    :raise ValueError: one of them is not where it was
    """
    before = run.started_from
    return [*(history(before) if before else []), run]


def _stages(run: Run) -> str:
    """Return one line for each run that the weights went through."""
    lines = []
    stages = history(run)
    for number, stage in enumerate(stages, start=1):
        config, state = stage.config, stage.load_checkpoint()
        assert state is not None  # a run that another started from has a checkpoint
        batch = config.batch
        lines.append(
            f'- {f"stage {number}: " if len(stages) > 1 else ""}{_loss(config)}, '
            f'{state["num_steps"]} steps of '
            f'{batch.num_places} places and\n  {batch.num_distractors} distractors, negatives '
            f'beyond {batch.negative_radius_m:g} m, {state["elapsed_s"] / 60:.0f} minutes on\n'
            f'  {config.num_threads} CPU thread(s), seed {config.seed}'
        )
    return '\n'.join(lines)


def _config_file(config: TrainingConfig) -> str:
    """Return the shipped file that such a training is an instance of."""
    if not config.network.has_branches:
        return f'config/{config.network.architecture}.yaml'
    if config.network != NETWORKS['fast']:
        return 'config/training_fixed.yaml'
    return f'config/training{"_wide" if len(config.splits) > 1 else ""}.yaml'


def _cache_commands(config: TrainingConfig) -> str:
    """Return the commands that make the images of the training's splits and of validation."""
    lines = []
    for split in (*config.splits, 'validation'):
        kind, more = _KIND.search(split), ''
        if kind and kind[1]:
            more = f' \\\n        --submap {kind[2]}'
        elif kind:
            more = f' \\\n        --window {kind[2]} --only 4d'
        lines.append(
            f'    python -m ssd_ros cache --benchmark {_KIND.sub("", split)} '
            f'--config {_config_file(config)} --out runs/cache{more}'
        )
    return '\n'.join(lines)


def _commands(run: Run) -> str:
    """Return the commands that train all stages; the options of earlier ones are in their runs."""
    shipped = _config_file(run.config)
    lines = []
    before = ''
    for stage in history(run):
        state = stage.load_checkpoint()
        assert state is not None
        name = stage.directory.name
        config = shipped if stage is run else f'runs/{name}/config.yaml'
        start = f' --start-from runs/{before}' if before else ''
        lines.append(
            f'    python -m ssd_ros train --cache runs/cache --config {config} '
            f'\\\n        --out runs/{name} --steps {state["num_steps"]}{start}'
        )
        before = name
    return '\n'.join(lines)


def _loss(config: TrainingConfig) -> str:
    """Return the metric loss and what is distilled, in words."""
    metric = f'triplet with adaptive margin times {config.loss.margin_scale:g}'
    if config.loss.name == 'infonce':
        metric = f'InfoNCE at temperature {config.loss.temperature:g}'
    if config.loss.name == 'cross_triplet':
        metric = f'triplets across sensors with margin {config.loss.margin:g}'
    if config.distillation.scheme == 'none':
        return f'{metric}, no distillation'
    return f'{metric}, distillation `{config.distillation.scheme}`'


def _row(result: Result) -> str:
    score = result.score()
    low, high = score.recall_at_1_interval
    yaw_deg = score.median_yaw_error_deg
    return (
        f'| {result.query_drive} | {result.map_drive} | {score.num_queries} '
        f'| {score.num_left_out} | {score.recall_at_1:.3f} [{low:.3f}, {high:.3f}] '
        f'| {score.recall_at_5:.3f} | {"-" if yaw_deg is None else f"{yaw_deg:.1f} deg"} |'
    )
