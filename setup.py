# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Installation only: what goes where, and the names of the commands."""

from pathlib import Path
import sys

from setuptools import find_packages, setup

package_name = 'ssd_ros'
# What `ros2 run ssd_ros NAME` starts; the command `ssd_ros` has the same as subcommands.
EXECUTABLES = {
    'ablate': 'ssd_ros.training.ablation.command',
    'bench': 'ssd_ros.cli.bench.command',
    'bench_node': 'ssd_ros.cli.bench.node',
    'build_db': 'ssd_ros.cli.build_db.command',
    'cache': 'ssd_ros.cli.cache.command',
    'compare': 'ssd_ros.cli.compare.command',
    'contract': 'ssd_ros.cli.contract.command',
    'demo': 'ssd_ros.cli.demo.command',
    'distill_4dral': 'ssd_ros.training.fourdral.command',
    'doctor': 'ssd_ros.cli.doctor.command',
    'estimate_rcs_correction': 'ssd_ros.cli.estimate_rcs_correction.command',
    'evaluate': 'ssd_ros.cli.evaluate.command',
    'export': 'ssd_ros.training.export.command',
    'localize': 'ssd_ros.cli.localize.command',
    'map': 'ssd_ros.cli.map.command',
    'pose_graph_demo': 'ssd_ros.cli.pose_graph_demo.command',
    'quickstart': 'ssd_ros.cli.quickstart.command',
    'replay': 'ssd_ros.cli.replay.command',
    'serve': 'ssd_ros.cli.serve.command',
    'simulate': 'ssd_ros.cli.simulate.command',
    'soak': 'ssd_ros.cli.soak.command',
    'statistics': 'ssd_ros.cli.statistics.command',
    'train': 'ssd_ros.training.runs.command',
    'trust': 'ssd_ros.cli.trust.command',
    'view': 'ssd_ros.cli.view.command',
}
# pip puts commands where every program of the user is: it gets one name. colcon and bloom, which
# call setup.py themselves, put them into lib/ssd_ros (setup.cfg), where `ros2 run` looks.
FOR_PIP = {'bdist_wheel', 'dist_info', 'editable_wheel'} & set(sys.argv)


def files(folder: str) -> list[str]:
    """Return the files of a folder, relative to this one."""
    return sorted(str(path) for path in Path(folder).glob('*.*') if path.is_file())


setup(
    name=package_name,
    version='0.1.0',
    packages=find_packages(exclude=['test', 'test.*']),
    package_data={package_name: ['py.typed', 'view/page/*', 'reports/templates/*']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{package_name}']),
        (f'share/{package_name}', ['package.xml']),
        (f'share/{package_name}/launch', files('launch')),
        (f'share/{package_name}/config', files('config')),
        (f'share/{package_name}/config/backends', files('config/backends')),
        (f'share/{package_name}/config/constraints', files('config/constraints')),
        (f'share/{package_name}/config/drivers', files('config/drivers')),
        (f'share/{package_name}/config/security', files('config/security')),
        (f'share/{package_name}/models', files('models')),
    ],
    # No ROS names here: rosdep and package.xml bring those.
    python_requires='>=3.10',
    # `make test-oldest` runs the tests with exactly these.
    install_requires=[
        'setuptools',
        'numpy>=1.25.0',  # ufunc.at is slow before
        'onnxruntime>=1.21.1',  # 1.20 cannot load teacher.onnx
        'faiss-cpu>=1.7.4',
        'opencv-python-headless>=4.5.4.60',
        'PyYAML>=6.0',
        'rosbags>=0.11.6',
        'scipy>=1.11.1',
        'transforms3d>=0.4.1',
        'tqdm>=4.60.0',
        'matplotlib>=3.5.1',
        'argcomplete>=1.8.1',
    ],
    extras_require={
        'gpu': ['onnxruntime-gpu', 'faiss-gpu'],
        'openvino': ['openvino>=2024.6.0'],
        'peers': ['map-closures==2.2.0'],
        'pose_graph': ['gtsam>=4.3a0'],
        'fast': ['numba>=0.58.0'],
        'reports': ['Jinja2>=3.0.3', 'plotly>=5.13.0'],
        'sim': ['numba>=0.58.0'],
        'cluster': ['distributed>=2024.1.0'],
        'view': ['aiohttp>=3.8.1'],  # what Ubuntu 22.04 has
        'train': [
            'torch>=2.13',
            'onnx>=1.16.0',
            'onnxscript>=0.7',
            'numba>=0.58.0',
            'Jinja2>=3.0.3',
            'plotly>=5.13.0',
        ],
        'test': ['pytest>=7.0.0', 'hypothesis>=6.36.0', 'onnx>=1.16.0'],
    },
    zip_safe=False,
    maintainer='The ssd_ros authors',
    maintainer_email='maintainers@ssd-ros.org',
    description='Heterogeneous radar place recognition for vehicles',
    license='Apache-2.0',
    entry_points={
        'console_scripts': ['ssd_ros = ssd_ros.cli.main:main']
        if FOR_PIP
        else [f'{name} = {module}:main' for name, module in EXECUTABLES.items()],
    },
)
