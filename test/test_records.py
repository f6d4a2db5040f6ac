# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that dataclasses from untrusted mappings are strict, and JSON has no NaN."""

from dataclasses import asdict, dataclass, field
import json
import math

import pytest
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.records import json_text, record_from_mapping


@dataclass(frozen=True)
class Inner:
    gain: float = 1.0


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner = field(default_factory=Inner)
    sizes: tuple[int, ...] = (1, 2)
    limit: int | None = None


def test_a_nested_record_survives_the_round_trip() -> None:
    outer = Outer('a', Inner(2.5), (3,), 4)
    assert record_from_mapping(Outer, asdict(outer)) == outer
    assert record_from_mapping(PreprocessingConfig, asdict(PreprocessingConfig())) == (
        PreprocessingConfig()
    )


def test_absent_names_keep_their_default_and_integers_become_floats() -> None:
    values = {'name': 'a', 'inner': {'gain': 2}}
    assert record_from_mapping(Outer, values) == Outer('a', Inner(2.0))


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'name': 'a', 'inner': {'gian': 1.0}}, r'unknown option inner\.gian; choose from gain'),
        ({'name': 'a', 'inner': {'gain': 'loud'}}, r"inner\.gain is 'loud', expected float"),
        ({'name': 'a', 'inner': 3}, r'inner\. is 3, expected a mapping'),
        ({'name': 'a', 'sizes': 3}, 'sizes is 3, expected a list'),
        ({'name': 'a', 'limit': True}, 'limit is True, expected int'),
        ({'inner': {}}, "missing 1 required positional argument: 'name'"),
        ([1], r'Outer is \[1\], expected a mapping'),
    ],
)
def test_a_wrong_name_or_type_is_refused_with_its_place(values: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        record_from_mapping(Outer, values)


def test_json_has_null_for_what_is_not_a_number() -> None:
    text = json_text({'a': math.nan, 'b': [math.inf, 1.5], 'c': {'NaN': ('x', None)}})
    assert json.loads(text) == {'a': None, 'b': [None, 1.5], 'c': {'NaN': ['x', None]}}
