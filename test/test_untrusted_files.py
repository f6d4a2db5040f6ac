# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that no map, model, recording or YAML runs code, takes memory or fails in silence."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
import json
import os
from pathlib import Path
import resource
import shutil
import struct
import subprocess
import sys
import tracemalloc
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper
import pytest
from rosbags.rosbag2 import Reader, Writer
from rosbags.typesys import get_typestore, Stores
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Sequence
from ssd_ros.datasets.bags.rosbag2_writer import POINTS_TOPIC, write_rosbag2
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.encoders.trial import Limits, require_trial
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.files import read_map
from ssd_ros.maps.meta import MapError
from ssd_ros.simulator.recordings.benchmark import load_benchmark
from ssd_ros.training.config import load_config
from ssd_ros.training.runs.overrides import with_settings
from support.drives.in_memory import drive
from support.posts import small_encoder, straight_drive, write_sealed_meta, write_small_encoder

ROOT = Path(__file__).parents[1]
MAP_FILES = ['descriptors.npy', 'keyframes.npy', 'meta.json', 'returns.npy']
STORE = get_typestore(Stores.ROS2_JAZZY)
MIB = 1 << 20


@pytest.fixture(scope='module')
def whole_map(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp('whole')
    build_database(straight_drive(num=3), small_encoder(directory, 'spinning')).save(
        directory / 'map.ssd'
    )
    return directory / 'map.ssd'


@pytest.fixture
def map_path(whole_map: Path, tmp_path: Path) -> Path:
    """Return a copy that a test may damage."""
    return Path(shutil.copytree(whole_map, tmp_path / 'map.ssd'))


def flip_bytes(content: bytes, seed: int) -> bytes:
    """Change one to four bytes."""
    generator = np.random.default_rng(seed)
    damaged = np.frombuffer(content, np.uint8).copy()
    places = generator.integers(0, len(damaged), generator.integers(1, 5))
    damaged[places] ^= generator.integers(1, 256, len(places), np.uint8)
    return damaged.tobytes()


def test_the_files_of_a_map_are_the_ones_tested_here(whole_map: Path) -> None:
    assert sorted(file.name for file in whole_map.iterdir()) == MAP_FILES


@pytest.mark.parametrize('name', [name for name in MAP_FILES if name != 'meta.json'])
def test_flipped_bytes_in_an_array_are_always_noticed(map_path: Path, name: str) -> None:
    content = (map_path / name).read_bytes()
    for seed in range(50):
        (map_path / name).write_bytes(flip_bytes(content, seed))
        with pytest.raises(MapError, match=rf'{name} is damaged \(its SHA-256 differs'):
            read_map(map_path)


def test_flipped_bytes_in_the_description_never_change_a_map(
    map_path: Path, whole_map: Path
) -> None:
    whole, meta = read_map(whole_map), map_path / 'meta.json'
    content = meta.read_bytes()
    num_refused = 0
    for seed in range(200):
        meta.write_bytes(flip_bytes(content, seed))
        try:
            found = read_map(map_path)
        except MapError:
            num_refused += 1
        else:
            assert found.descriptors.tobytes() == whole.descriptors.tobytes()
            assert found.keyframes.positions_m.tobytes() == whole.keyframes.positions_m.tobytes()
            assert found.returns_cm.tobytes() == whole.returns_cm.tobytes()
            assert (found.info, found.confidence) == (whole.info, whole.confidence)
    # One blank may have become another, which says the same.
    assert num_refused >= 195


def missing(file: Path) -> None:
    file.unlink()


def a_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


def a_link_to_itself(file: Path) -> None:
    file.unlink()
    file.symlink_to(file)


def empty(file: Path) -> None:
    file.write_bytes(b'')


@pytest.mark.parametrize('name', MAP_FILES)
@pytest.mark.parametrize('spoil', [missing, a_directory, a_link_to_itself, empty])
def test_a_file_that_is_none_is_refused_by_name(
    map_path: Path, name: str, spoil: Callable[[Path], None]
) -> None:
    spoil(map_path / name)
    with pytest.raises(MapError, match=name.replace('.', r'\.')):
        read_map(map_path)


def test_a_map_below_a_file_is_no_map(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    with pytest.raises(MapError, match='there is no map at'):
        read_map(tmp_path / 'file' / 'map.ssd')


def peak_mib(function: Callable[[], object]) -> float:
    """Return the most memory that Python and NumPy held on the way."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1] / MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    'changes',
    [
        {'num_keyframes': 10**12},
        {'num_keyframes': 10**30},
        {'num_keyframes': 0},
        {'descriptor_size': 2**62},
        {'num_returns': 10**12},
        {'info': {'num_views': 10**15}},
        {'files': {'descriptors.npy': {'bytes': 2**60}}},
        {'files': {'descriptors.npy': {'bytes': '0', 'sha256': None}}},
    ],
    ids=str,
)
def test_absurd_sizes_are_refused_before_memory_is_taken(
    map_path: Path, changes: dict[str, Any]
) -> None:
    meta = json.loads((map_path / 'meta.json').read_text())
    for name, value in changes.items():
        meta[name] = {**meta[name], **value} if isinstance(value, dict) else value
    write_sealed_meta(map_path / 'meta.json', meta)

    def read() -> None:
        with pytest.raises(MapError):
            read_map(map_path)

    assert peak_mib(read) < 10


def test_a_calibration_without_content_is_refused_and_none_is_none(map_path: Path) -> None:
    meta = json.loads((map_path / 'meta.json').read_text())
    assert meta['confidence'] is None
    assert read_map(map_path).confidence is None
    write_sealed_meta(map_path / 'meta.json', {**meta, 'confidence': {}})
    with pytest.raises(MapError, match=r'meta\.json: confidence\..*missing'):
        read_map(map_path)


# What would leave a file behind if it ran.
PYTHON_TAGS = [
    '!!python/object/apply:os.system ["touch {marker}"]',
    '!!python/object/new:subprocess.Popen [["touch", "{marker}"]]',
    'name: !!python/object/apply:pathlib.Path.write_text [{marker}, ""]',
]


@pytest.mark.parametrize('text', PYTHON_TAGS)
def test_python_tags_in_yaml_are_refused_and_run_nothing(tmp_path: Path, text: str) -> None:
    marker, path = tmp_path / 'marker', tmp_path / 'file.yaml'
    text = text.format(marker=marker)
    path.write_text(text)
    with pytest.raises(ValueError, match='could not determine a constructor'):
        load_benchmark(path)
    with pytest.raises(ValueError, match='could not determine a constructor'):
        load_config(path)
    with pytest.raises(ValueError, match='is not YAML'):
        with_settings(load_config(ROOT / 'config' / 'training.yaml'), [f'seed={text}'])
    bag = write_rosbag2(tmp_path / 'bag', drive(), with_scans=False)
    (bag / 'metadata.yaml').write_text(f'rosbag2_bagfile_information: {text}')
    with pytest.raises(ValueError, match='is not a recording that can be read'):
        Rosbag2Sequence(bag)
    assert not marker.exists()


def test_yaml_that_multiplies_itself_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / 'laughs.yaml'
    lines = ['a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]']
    for level in range(1, 10):
        lines.append(f'a{level}: &a{level} [{", ".join([f"*a{level - 1}"] * 10)}]')
    path.write_text('\n'.join([*lines, 'splits: *a9', 'batch: *a9', 'name: *a9']))

    def read() -> None:
        for load in (load_benchmark, load_config):
            with pytest.raises(ValueError, match=r'laughs\.yaml'):
                load(path)

    assert peak_mib(read) < 10


def resident_peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_a_recording_whose_messages_lie_about_their_sizes_takes_no_memory(tmp_path: Path) -> None:
    bag = write_rosbag2(tmp_path / 'bag', drive(), with_scans=False)
    with Reader(bag) as reader:
        connection = next(one for one in reader.connections if one.topic == POINTS_TOPIC)
        data = bytes(next(reader.messages([connection]))[2])
    lies = [2**32 - 1, 2**31 - 1, 2**28]
    hostile = tmp_path / 'hostile'
    with Writer(hostile, version=9) as writer:
        made = writer.add_connection(POINTS_TOPIC, connection.msgtype, typestore=STORE)
        # Header, layout and names of the fields, then points.
        for number, place in enumerate(range(12, min(len(data), 300) - 4, 4)):
            lie = struct.pack('<I', lies[number % len(lies)])
            stamp = struct.pack('<iI', 1, number)
            message = data[:4] + stamp + data[12:place] + lie + data[place + 4 :]
            writer.write(made, number, message)
    before_mib, num_refused = resident_peak_mib(), 0
    sequence = Rosbag2Sequence(hostile)
    for index in range(len(sequence.cloud_stamps_ns)):
        try:
            sequence.cloud(index)
        except ValueError:
            num_refused += 1
    assert num_refused > 20
    assert resident_peak_mib() - before_mib < 200


def write_encoder_with(
    path: Path, nodes: list[onnx.NodeProto], constants: dict[str, Any], end: str = 'large'
) -> Path:
    """Write a small encoder that makes an array on the way and adds nothing of it."""
    model = onnx.load(write_small_encoder(path, '4d'))
    graph = model.graph
    graph.node[-1].output[0] = 'modest_descriptor'
    constants = {**constants, 'nothing': np.float32(0)}
    graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()
    )
    graph.node.extend(
        [
            *nodes,
            helper.make_node('ReduceMean', [end], ['mean'], keepdims=0),
            helper.make_node('Mul', ['mean', 'nothing'], ['none']),
            helper.make_node('Add', ['modest_descriptor', 'none'], ['descriptor']),
        ]
    )
    path.write_bytes(model.SerializeToString())
    return path


SHAPE_OF_BATCH = [
    # The size depends on the batch, or the array would be made once, at loading.
    helper.make_node('Size', ['pixels'], ['size']),
    helper.make_node('Sub', ['size', 'size'], ['no_more']),
    helper.make_node('Add', ['large_shape', 'no_more'], ['shape']),
    helper.make_node('ConstantOfShape', ['shape'], ['large']),
]
SHAPE_OF_FILE = [helper.make_node('ConstantOfShape', ['large_shape'], ['large'])]


@pytest.mark.parametrize('num_floats', [2_500_000_000, 100_000_000])
@pytest.mark.parametrize('nodes', [SHAPE_OF_BATCH, SHAPE_OF_FILE], ids=['batch', 'file'])
def test_a_model_that_wants_gigabytes_or_hundreds_of_megabytes_is_refused(
    tmp_path: Path, nodes: list[onnx.NodeProto], num_floats: int
) -> None:
    constants = {'large_shape': np.array([num_floats])}
    path = write_encoder_with(tmp_path / 'hungry.onnx', nodes, constants)
    before_mib = resident_peak_mib()
    # 3 images of 64 x 48 cells of 512 bytes and 4 times the file, beside 128 MiB.
    with pytest.raises(ValueError, match=r'hungry\.onnx cannot be run: .*tried with 13\d MiB'):
        OnnxEncoder(path, 'cpu')
    assert resident_peak_mib() - before_mib < 100


def test_a_model_whose_arrays_an_image_decides_is_refused_before_it_is_run(
    tmp_path: Path,
) -> None:
    nodes = [
        helper.make_node('ReduceMax', ['pixels'], ['brightest'], keepdims=0),
        helper.make_node('Cast', ['brightest'], ['number'], to=onnx.TensorProto.INT64),
        helper.make_node('Unsqueeze', ['number', 'zero_axis'], ['shape']),
        helper.make_node('ConstantOfShape', ['shape'], ['large']),
    ]
    path = write_encoder_with(tmp_path / 'fickle.onnx', nodes, {'zero_axis': np.array([0])})
    with pytest.raises(ValueError, match=r"what an image shows decides the shape of \['large'\]"):
        OnnxEncoder(path, 'cpu')


def loop(trips: int) -> onnx.NodeProto:
    def value(name: str, kind: int, shape: list[int] | None) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, shape)

    types = onnx.TensorProto
    body = helper.make_graph(
        [
            helper.make_node('Identity', ['go_on'], ['still_go_on']),
            helper.make_node('Identity', ['before'], ['after']),
        ],
        'body',
        [
            value('trip', types.INT64, []),
            value('go_on', types.BOOL, []),
            value('before', types.FLOAT, None),
        ],
        [value('still_go_on', types.BOOL, []), value('after', types.FLOAT, None)],
    )
    return helper.make_node('Loop', ['trips', 'yes', 'modest_descriptor'], ['large'], body=body)


@pytest.mark.parametrize(
    ('node', 'message'),
    [
        (loop(3), 'a node of it has a graph'),
        (helper.make_node('NonZero', ['pixels'], ['large']), "uses the operator 'NonZero'"),
        (helper.make_node('RandomNormal', [], ['large'], shape=[1]), "operator 'RandomNormal'"),
        (helper.make_node('Gelu', ['pixels'], ['large'], domain='com.microsoft'), 'com.microsoft'),
        (helper.make_node('Exp', ['later'], ['large']), "'later' is used before it is made"),
    ],
    ids=lambda value: value.op_type if isinstance(value, onnx.NodeProto) else '',
)
def test_a_model_that_asks_for_more_than_any_of_ours_is_refused_unread(
    tmp_path: Path, node: onnx.NodeProto, message: str
) -> None:
    constants = {'trips': np.array(3), 'yes': np.array(True)}
    path = write_encoder_with(tmp_path / 'odd.onnx', [node], constants)
    with pytest.raises(ValueError, match=rf'odd\.onnx is not a usable ONNX model: .*{message}'):
        OnnxEncoder(path, 'cpu')


def test_functions_and_training_in_a_model_are_refused(tmp_path: Path) -> None:
    path = write_small_encoder(tmp_path / 'model.onnx', '4d')
    model = onnx.load(path)
    node = helper.make_node('Exp', ['x'], ['y'])
    function = helper.make_function('own', 'f', ['x'], ['y'], [node], model.opset_import)
    model.functions.append(function)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ValueError, match='it holds functions of its own'):
        OnnxEncoder(path, 'cpu')


def test_a_model_of_very_many_nodes_is_refused(tmp_path: Path) -> None:
    names = ['modest_descriptor', *(f'copy_{number}' for number in range(20_000)), 'large']
    nodes = [helper.make_node('Identity', [old], [new]) for old, new in pairwise(names)]
    path = write_encoder_with(tmp_path / 'long.onnx', nodes, {})
    with pytest.raises(ValueError, match=r'has 20013 nodes, at most 20000 are supported'):
        OnnxEncoder(path, 'cpu')


def write_slow_encoder(path: Path) -> Path:
    """Write one of 2000 products of 1000 x 1000 matrices, 4e12 operations: half a minute."""
    names = [f'product_{number}' for number in range(2001)]
    nodes = [
        helper.make_node('ConstantOfShape', ['shape'], [names[0]]),
        *(helper.make_node('MatMul', [old, names[0]], [new]) for old, new in pairwise(names)),
    ]
    return write_encoder_with(path, nodes, {'shape': np.array([1000, 1000])}, names[-1])


def test_a_model_that_takes_too_much_time_is_given_up(tmp_path: Path) -> None:
    path = write_slow_encoder(tmp_path / 'slow.onnx')
    model = path.read_bytes()
    message = r'slow\.onnx .*too much time ended the process that ran it .*MiB and 1 s'
    with pytest.raises(ValueError, match=message):
        require_trial(path, model, '', Limits(cpu_s=1))
    with pytest.raises(ValueError, match=r'slow\.onnx .*not loaded and run after 0\.5 s'):
        require_trial(path, model, '', Limits(wall_s=0.5))


INTERRUPTED = """
import os, signal, sys, threading
from pathlib import Path
from ssd_ros.encoders.trial import Limits, require_trial
signal.signal(signal.SIGINT, lambda *_: print('interrupted'))  # as rclpy does
threading.Timer(0.3, os.killpg, (0, signal.SIGINT)).start()
path = Path(sys.argv[1])
try:
    require_trial(path, path.read_bytes(), '', Limits(cpu_s=1))
except ValueError as error:
    print(error)
"""


def test_ctrl_c_is_not_laid_to_the_model_that_is_being_tried(tmp_path: Path) -> None:
    path = write_slow_encoder(tmp_path / 'slow.onnx')
    command = [sys.executable, '-c', INTERRUPTED, str(path)]
    result = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, timeout=120, start_new_session=True
    )
    assert result.stdout.startswith('interrupted'), result.stderr[-2000:]
    assert 'too much time ended the process' in result.stdout


CHILDLESS = """
from pathlib import Path
import signal, sys
from ssd_ros.encoders.trial import Limits, require_trial
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # as some programs leave it to what they start
for path in map(Path, sys.argv[1:]):
    try:
        require_trial(path, path.read_bytes(), path.name, Limits(cpu_s=1))
    except ValueError as error:
        print(error)
    else:
        print(path.name, 'passed')
"""


def test_no_model_passes_because_the_end_of_its_trial_is_not_known(tmp_path: Path) -> None:
    modest = write_small_encoder(tmp_path / 'modest.onnx', '4d')
    slow = write_slow_encoder(tmp_path / 'slow.onnx')
    nodes, constants = SHAPE_OF_FILE, {'large_shape': np.array([2_500_000_000])}
    hungry = write_encoder_with(tmp_path / 'hungry.onnx', nodes, constants)
    command = [sys.executable, '-c', CHILDLESS, *map(str, (modest, slow, hungry))]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    lines = result.stdout.splitlines()
    assert lines[0] == 'modest.onnx passed'
    assert 'slow.onnx is not a usable ONNX model' in lines[1]
    assert 'hungry.onnx cannot be run' in lines[2]


def test_a_model_at_a_path_that_is_no_text_is_refused_by_its_own_fault(tmp_path: Path) -> None:
    constants = {'large_shape': np.array([2_500_000_000])}
    path = write_encoder_with(tmp_path / 'm\udcff.onnx', SHAPE_OF_FILE, constants)
    with pytest.raises(ValueError, match=r'm\\udcff\.onnx cannot be run: .*13\d MiB'):
        OnnxEncoder(path, 'cpu')


def test_a_descriptor_that_becomes_too_long_only_later_is_refused_by_name(tmp_path: Path) -> None:
    path = write_small_encoder(tmp_path / 'moody.onnx', '4d')
    model = onnx.load(path)
    model.graph.node[-1].output[0] = 'unscaled'
    constants = {'seven': np.float32(7), 'half': np.float32(0.5)}
    model.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()
    )
    model.graph.node.extend(
        [
            helper.make_node('Equal', ['pixels', 'seven'], ['is_seven']),
            helper.make_node('Cast', ['is_seven'], ['sevens'], to=onnx.TensorProto.FLOAT),
            helper.make_node('ReduceMax', ['sevens'], ['any_seven'], keepdims=0),
            helper.make_node('Mul', ['any_seven', 'half'], ['more']),
            helper.make_node('Add', ['more', 'one'], ['factor']),
            helper.make_node('Mul', ['unscaled', 'factor'], ['descriptor']),
        ]
    )
    path.write_bytes(model.SerializeToString())
    encoder = OnnxEncoder(path, 'cpu')
    image = np.zeros((64, 48), np.uint8)
    assert np.linalg.norm(encoder.encode(image)) == pytest.approx(1)
    image[5, 5] = 7
    with pytest.raises(
        ValueError, match=r'moody\.onnx gives a descriptor of length 1\.5, expected 1'
    ):
        encoder.encode(image)


def test_a_trial_is_remembered_by_content(tmp_path: Path) -> None:
    path = write_small_encoder(tmp_path / 'model.onnx', '4d')
    digest = OnnxEncoder(path, 'cpu').digest
    require_trial(path, path.read_bytes(), digest, Limits(wall_s=0))  # no process is started
    with pytest.raises(ValueError, match='not loaded and run after 0 s'):
        require_trial(path, path.read_bytes(), 'another', Limits(wall_s=0))


FLIPPER = """
from pathlib import Path
import sys
import numpy as np
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.encoders.trial import Limits, require_trial
content = Path(sys.argv[1]).read_bytes()
path = Path(sys.argv[2])
for seed in range(100):
    generator = np.random.default_rng(seed)
    damaged = np.frombuffer(content, np.uint8).copy()
    # Half of them near the ends, where the graph is described; most of the rest are weights.
    span = len(damaged) if seed % 2 else 3000
    places = -generator.integers(0, span, 3)
    damaged[places] ^= generator.integers(1, 256, 3, np.uint8)
    path.write_bytes(damaged.tobytes())
    try:
        OnnxEncoder(path, 'cpu').encode(np.zeros((64, 48), np.uint8))
    except ValueError as error:
        assert path.name in str(error), error
        print('refused')
    else:
        print('works')
"""


def test_a_model_with_flipped_bytes_works_or_is_refused(tmp_path: Path) -> None:
    model = write_small_encoder(tmp_path / 'model.onnx', '4d')
    # A process of its own: what ends it ends no test.
    command = [sys.executable, '-c', FLIPPER, str(model), str(tmp_path / 'flipped.onnx')]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert result.returncode == 0, result.stderr[-2000:]
    outcomes = result.stdout.split()
    assert len(outcomes) == 100
    assert outcomes.count('refused') > 20


def test_yaml_of_many_brackets_or_bytes_and_pipes_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / 'odd.yaml'
    for content in ('[' * 10_000, '#' * (1 << 20) + '\n'):
        path.write_text(content)
        for load in (load_benchmark, load_config):
            with pytest.raises(ValueError, match=r'odd\.yaml'):
                load(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ValueError, match=r'odd\.yaml is not a file'):
        load_config(path)  # and does not wait for who writes to the pipe
