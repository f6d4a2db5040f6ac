# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Methods that need no training, to judge the learned one by: handcrafted, of other systems."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import get_args

from ssd_ros.baselines.dr_pogo import DrPogo
from ssd_ros.baselines.intensity_scan_context import IntensityScanContext
from ssd_ros.baselines.map_closures import MapClosures
from ssd_ros.baselines.method import Method
from ssd_ros.baselines.raplace import RaPlace
from ssd_ros.baselines.referee import RefereeR
from ssd_ros.baselines.ring_key import RingKey
from ssd_ros.baselines.scan_contexts import RadarScanContext
from ssd_ros.baselines.variants import Variant
from ssd_ros.baselines.vlad import FftRadVlad, RadVlad
from ssd_ros.extensions import own_class, require_members

_FORMS: dict[str, Callable[[str], Method]] = {
    'ring_key': RingKey,
    'scan_context_ring_key': partial(RadarScanContext, 'ring_key'),
    'scan_context': partial(RadarScanContext, 'exhaustive'),
    'intensity_scan_context': IntensityScanContext,
    'raplace': RaPlace,
    'radvlad': RadVlad,
    'fft_radvlad': FftRadVlad,
    'referee': RefereeR,
}
METHODS: dict[str, Callable[[], Method]] = {
    f'{name}_{variant}': partial(form, variant)
    for name, form in _FORMS.items()
    for variant in get_args(Variant)
}
"""Every handcrafted method by its name in tables, in two forms, such as `radvlad_repaired`."""
PEERS: dict[str, Callable[[], Method]] = {
    **{f'dr_pogo_{variant}': partial(DrPogo, variant) for variant in get_args(Variant)},
    'map_closures': MapClosures,
}
"""Loop closures of other systems, on local maps of one radar."""


def own_method(name: str) -> Method:
    """
    Return a method of anybody's, made without arguments.

    :param name: `module:Class`
    :raise ValueError: it is not there, or no Method
    """
    made: Method = own_class(name, '--methods')()
    require_members(made, Method, f'--methods {name}')
    return made
