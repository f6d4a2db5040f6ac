# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Installation only: what goes where, and the names of the commands."""

from pathlib import Path

from setuptools import find_packages, setup

package_name = 'ssd_ros'


def files(folder: str) -> list[str]:
    """Return the files of a folder, relative to this one."""
    return sorted(str(path) for path in Path(folder).glob('*.*') if path.is_file())


setup(
    name=package_name,
    version='0.1.0',
    packages=find_packages(exclude=['test', 'test.*']),
    package_data={package_name: ['py.typed']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{package_name}']),
        (f'share/{package_name}', ['package.xml']),
        (f'share/{package_name}/launch', files('launch')),
        (f'share/{package_name}/config', files('config')),
        (f'share/{package_name}/config/backends', files('config/backends')),
        (f'share/{package_name}/config/drivers', files('config/drivers')),
        (f'share/{package_name}/models', files('models')),
    ],
    # No ROS names here: rosdep and package.xml bring those.
    install_requires=[
        'setuptools',
        'numpy>=1.25',  # ufunc.at is slow before
        'onnxruntime',
        'faiss-cpu',
        'opencv-python-headless',
        'PyYAML',
        'rosbags',
        'transforms3d',
        'tqdm',
        'matplotlib',
    ],
    extras_require={
        'gpu': ['onnxruntime-gpu', 'faiss-gpu'],
        'pose_graph': ['gtsam>=4.3a1'],
        'sim': ['numba'],
        'train': ['torch', 'onnx', 'onnxscript', 'numba'],
        'test': ['pytest', 'hypothesis'],
    },
    zip_safe=False,
    maintainer='The ssd_ros authors',
    maintainer_email='maintainers@ssd-ros.org',
    description='Heterogeneous radar place recognition for vehicles',
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'ablate = ssd_ros.training.ablation.command:main',
            'build_db = ssd_ros.cli.build_db.command:main',
            'cache = ssd_ros.cli.cache.command:main',
            'compare = ssd_ros.cli.compare.command:main',
            'demo = ssd_ros.cli.demo.command:main',
            'estimate_rcs_correction = ssd_ros.cli.estimate_rcs_correction.command:main',
            'evaluate = ssd_ros.cli.evaluate.command:main',
            'localize = ssd_ros.ros.node.localize_node:main',
            'pose_graph_demo = ssd_ros.cli.pose_graph_demo.command:main',
            'replay = ssd_ros.cli.replay.command:main',
            'simulate = ssd_ros.cli.simulate.command:main',
            'train = ssd_ros.training.runs.command:main',
            'trust = ssd_ros.cli.trust.command:main',
        ],
    },
)
