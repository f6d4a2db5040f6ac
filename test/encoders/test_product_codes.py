# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that arrays of codes find what an index finds that FAISS filled by itself."""

from __future__ import annotations

import faiss
import numpy as np
import pytest
from ssd_ros.encoders.product_codes import can_code, code_bytes, Codebook, CodedRows, trained

SIZE, NUM, NUM_LISTS = 32, 3000, 16


def rows(seed: int, num: int = NUM) -> np.ndarray:
    found = np.random.default_rng(seed).normal(size=(num, SIZE)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_codes_in_arrays_find_what_the_index_of_faiss_finds() -> None:
    known, queries = rows(0), rows(1, 20)
    codebook = trained(known, NUM_LISTS)
    lists, codes = codebook.encode(known)
    assert (codes.shape, codes.dtype) == ((NUM, SIZE // 8), np.uint8)
    assert code_bytes(SIZE) == 4
    quantizer = faiss.IndexFlatL2(SIZE)
    quantizer.add(codebook.centres)
    plain = faiss.IndexIVFPQ(quantizer, SIZE, NUM_LISTS, SIZE // 4, 4)
    plain.by_residual = False
    faiss.copy_array_to_vector(codebook.parts.ravel(), plain.pq.centroids)
    plain.is_trained = True
    peer = faiss.IndexIVFPQFastScan(plain)
    peer.add(known)
    peer.nprobe = 5
    coded = CodedRows.of_rows(codebook, np.arange(NUM) + 7, lists, codes)
    assert len(coded) == NUM
    for query in queries:
        found, squares = coded.nearest(query, 50, 5)
        expected_squares, expected = peer.search(query[None], 50)
        np.testing.assert_allclose(squares, expected_squares[0], rtol=1e-5)
        assert len(set(found - 7) ^ set(expected[0])) <= 4  # as near as the last one
    assert len(coded.nearest(queries[0], 10 * NUM, NUM_LISTS)[0]) == NUM


@pytest.mark.parametrize(
    ('change', 'expected'),
    [
        (lambda centres, parts: (centres[0], parts), 'centres of lists have shape'),
        (lambda centres, parts: (centres[:, :-1], parts), 'centres of lists have shape'),
        (lambda centres, parts: (centres, parts[:-1]), 'parts of codes have shape'),
        (lambda centres, parts: (centres, parts * np.float32('nan')), 'not finite'),
    ],
)
def test_what_is_no_codebook_is_refused(change: object, expected: str) -> None:
    codebook = trained(rows(0), NUM_LISTS)
    assert callable(change)
    with pytest.raises(ValueError, match=expected):
        Codebook(*change(codebook.centres, codebook.parts))


def test_a_row_of_no_list_is_refused() -> None:
    codebook = trained(rows(0), NUM_LISTS)
    lists, codes = codebook.encode(rows(0, 3))
    with pytest.raises(ValueError, match='a row is in list 16, there are 16'):
        CodedRows.of_rows(codebook, np.arange(3), lists * 0 + np.uint16(16), codes)


def test_which_descriptors_have_codes() -> None:
    assert [size for size in range(1, 33) if can_code(size)] == [8, 16, 24, 32]


def test_lists_come_out_and_go_in_as_they_are_searched() -> None:
    known, codebook = rows(0), trained(rows(0), NUM_LISTS)
    coded = CodedRows.of_rows(codebook, np.arange(NUM), *codebook.encode(known))
    same = CodedRows(codebook)
    for number in range(coded.num_lists):
        for room, content in zip(
            same.make_room(number, coded.list_size(number)), coded.list_of(number), strict=True
        ):
            room[:] = content
    assert len(same) == NUM
    for query in rows(1, 20):
        for found, expected in zip(
            same.nearest(query, 50, 5), coded.nearest(query, 50, 5), strict=True
        ):
            np.testing.assert_array_equal(found, expected)
