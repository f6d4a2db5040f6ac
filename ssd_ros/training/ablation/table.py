# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an ablation found: recall of every label over its seeds, and paired differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
import json
from pathlib import Path

import numpy as np
from ssd_ros.data_origin import kind_of, radar_of
from ssd_ros.evaluation.scores.paired import compare_seeds, Comparison, Estimate, seed_mean
from ssd_ros.evaluation.scores.results import read_evaluation, Result
from ssd_ros.reports.document import Table
from ssd_ros.targets import write_file, write_markdown
from ssd_ros.training.runs.evaluate_run import evaluation_path, TASKS
from ssd_ros.training.runs.folder import Run

FINDINGS_MARK = rb'^\[\s*{\s*"label": '
REFERENCES = ('none', 'uniform')
SHARES = ('teacher_share', 'joint_share', 'gap_share')


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One line of the table.

    :param recall: R@1 by task, over seeds and drives
    :param against: by reference and task; over the seeds that both have
    :param statistics: means over the last tenth of training
    :param minutes: of training a run
    """

    label: str
    seeds: list[int]
    recall: dict[str, Estimate]
    against: dict[str, dict[str, Comparison]]
    statistics: dict[str, float]
    minutes: float


def finished_runs(out: Path, split: str) -> dict[str, dict[int, Path]]:
    """Return the folders of the runs evaluated on a split, by label and seed."""
    runs: dict[str, dict[int, Path]] = {}
    for directory in sorted(path.parent for path in out.glob('*/config.yaml')):
        label, _, seed = directory.name.rpartition('_')
        if label and seed.isdigit() and evaluation_path(directory, split).exists():
            runs.setdefault(label, {})[int(seed)] = directory
    return runs


def findings(runs: dict[str, dict[int, Path]], split: str) -> list[Finding]:
    """Evaluate all labels, in the order given, against those references that are there."""
    results = {
        label: {
            seed: read_evaluation(evaluation_path(directory, split)).results
            for seed, directory in sorted(seeds.items())
        }
        for label, seeds in runs.items()
    }
    found = []
    for label, seeds in runs.items():
        statistics, minutes = _training_statistics([Run(path) for path in seeds.values()])
        recall = {task: seed_mean(list(results[label].values()), task) for task in TASKS}
        against = {
            reference: comparisons
            for reference in REFERENCES
            if reference in results and reference != label
            if (comparisons := _compared(results[label], results[reference]))
        }
        found.append(Finding(label, sorted(seeds), recall, against, statistics, minutes))
    return found


def _compared(
    ours: Mapping[int, Sequence[Result]], reference: Mapping[int, Sequence[Result]]
) -> dict[str, Comparison]:
    """Compare the seeds that both have, by task."""
    if not (seeds := sorted(ours.keys() & reference.keys())):
        return {}
    return {
        task: compare_seeds(
            [ours[seed] for seed in seeds], [reference[seed] for seed in seeds], task
        )
        for task in TASKS
    }


def _training_statistics(runs: Sequence[Run]) -> tuple[dict[str, float], float]:
    """Return the means over the last tenth of training, and the minutes of a run."""
    kept, minutes = [], []
    for run in runs:
        lines = [line for line in run.metrics() if 'loss' in line]
        last = lines[-1]['step']
        kept += [line for line in lines if line['step'] > 0.9 * last]
        minutes.append(lines[-1]['elapsed_s'] / 60)
    names = kept[-1].keys() - {'step', 'elapsed_s', 'learning_rate'}
    return (
        {name: float(np.mean([line[name] for line in kept])) for name in sorted(names)},
        float(np.mean(minutes)),
    )


def table_paths(out: Path, split: str) -> tuple[Path, Path, Path]:
    """Return where the report of a split stands: the table as Markdown and as JSON, the page."""
    stem = 'ablation' if split == 'validation' else f'ablation_{split}'
    return out / f'{stem}.md', out / f'{stem}.json', out / f'{stem}.html'


def write_table(out: Path, found: Sequence[Finding], data: str, split: str) -> str:
    """Write ablation.md and ablation.json, or of another split's name; return the Markdown."""
    text_path, plain_path, _ = table_paths(out, split)
    text = markdown(found, data)
    write_markdown(text_path, text)
    plain = json.dumps([asdict(finding) for finding in found], indent=1)
    write_file(plain_path, plain.encode(), FINDINGS_MARK)
    return text


def data_of(runs: Mapping[str, Mapping[int, Path]], split: str) -> str:
    """Return which radar and split the runs were evaluated on, in words."""
    directories = [directory for seeds in runs.values() for directory in seeds.values()]
    origins = [read_evaluation(evaluation_path(one, split)).origin for one in directories]
    return f'{radar_of(kind_of(origins)).capitalize()}, split {split}'


def markdown(found: Sequence[Finding], data: str) -> str:
    """
    Return the table as Markdown.

    :param data: which radar and split, in words
    """
    explained, table = table_of(found)
    return f'{data}: {explained}\n\n{table.markdown()}\n'


def table_of(found: Sequence[Finding]) -> tuple[str, Table]:
    """Return the table, and before it what it shows; differences are in points of R@1."""
    heads = ['scheme', 'seeds', 'R@1 single', 'R@1 multi']
    heads += [f'multi - {name}' for name in REFERENCES] + ['won/lost']
    heads += ['M_t', 'M_joint', 'M_gap', 'min']
    explained = (
        'heterogeneous R@1, mean over seeds and drives, [95 % '
        'interval] by bootstrap over seeds and stretches of the drives. Differences are paired: '
        'same seeds, same queries; won/lost counts them against '
        f'{REFERENCES[0]}. M_t, M_joint, M_gap: shares of the features in the last tenth of '
        'training.'
    )
    return explained, Table(heads, list(map(_cells, found)))


def _cells(finding: Finding) -> list[str]:
    versus = [finding.against.get(name, {}).get('multi') for name in REFERENCES]
    shares = [finding.statistics.get(name) for name in SHARES]
    return [
        finding.label,
        ' '.join(map(str, finding.seeds)),
        *(_recall(finding.recall[task]) for task in TASKS),
        *('' if value is None else _difference(value) for value in versus),
        '' if versus[0] is None else f'{versus[0].wins}/{versus[0].losses}',
        *('' if share is None else f'{share:.3f}' for share in shares),
        f'{finding.minutes:.1f}',
    ]


def _recall(value: Estimate) -> str:
    return f'{value.mean:.3f} [{value.low:.3f}, {value.high:.3f}]'


def _difference(value: Comparison) -> str:
    points = [100 * part for part in (value.difference, value.low, value.high)]
    return '{:+.1f} [{:+.1f}, {:+.1f}]'.format(*points)
