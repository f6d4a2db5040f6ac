# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the documentation is built: make docs."""

import logging
from pathlib import Path
import sys

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # the sources of this checkout are described

from ssd_ros import __version__  # noqa: E402

logging.getLogger('faiss').setLevel(logging.WARNING)  # which tells what processor it finds

project = 'ssd_ros'
author = 'The ssd_ros authors'
version = release = __version__
extensions = ['myst_parser', 'sphinx.ext.autodoc']
html_theme = 'furo'
html_title = f'ssd_ros {__version__}'
html_show_copyright = False
myst_heading_anchors = 4
default_role = 'code'  # in docstrings
autodoc_typehints = 'description'
autodoc_typehints_description_target = 'documented'
autodoc_member_order = 'bysource'
python_use_unqualified_type_names = True
