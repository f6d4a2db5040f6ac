# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Descriptors in an eighth of their bytes: FAISS's inverted lists of product-quantised rows.

Rows are coded as they are, not by what they lack to the centre of their list: of lists of some
hundreds of rows a table for each takes longer than the rows, and finds no more.

Arrays go in and come out, no index of FAISS is ever read from a file: reading one that was
damaged can crash the process, arrays whose size was checked cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

_PART = 4  # numbers of a descriptor that share a code of 4 bits: 64 codes, 32 bytes for 256
_BITS = 4
_ITERATIONS = 10  # of k-means: further ones change no answer
_BATCH = 1 << 14  # rows


def can_code(descriptor_size: int) -> bool:
    """Return whether descriptors of so many numbers can be coded."""
    return descriptor_size % (2 * _PART) == 0


def code_bytes(descriptor_size: int) -> int:
    """Return the bytes of the code of a descriptor."""
    return descriptor_size // _PART * _BITS // 8


@dataclass(frozen=True, slots=True)
class Codebook:
    """
    What codes mean.

    :param centres: shape (L, D) float32, of the lists
    :param parts: shape (D / 4, 16, 4) float32, what each code of a part of a row stands for
    :raise ValueError: it is none
    """

    centres: NDArray[np.float32]
    parts: NDArray[np.float32]

    def __post_init__(self) -> None:
        size = self.centres.shape[-1]
        if self.centres.ndim != 2 or not can_code(size) or not 1 <= len(self.centres) <= 1 << 16:
            raise ValueError(f'centres of lists have shape {self.centres.shape}')
        if self.parts.shape != parts_shape(size):
            raise ValueError(f'parts of codes have shape {self.parts.shape}')
        if not (np.isfinite(self.centres).all() and np.isfinite(self.parts).all()):
            raise ValueError('a codebook has numbers that are not finite')

    def encode(self, rows: NDArray[np.float32]) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
        """
        Return list and code of each row.

        :param rows: shape (N, D)
        :return: shapes (N,) and (N, code_bytes)
        """
        faiss.omp_set_num_threads(1)
        index = self._empty_index()
        lists = np.empty(len(rows), np.uint16)
        codes = np.empty((len(rows), code_bytes(rows.shape[1])), np.uint8)
        for first in range(0, len(rows), _BATCH):
            batch = np.ascontiguousarray(rows[first : first + _BATCH], np.float32)
            nearest = index.quantizer.search(batch, 1)[1][:, 0]
            lists[first : first + _BATCH] = nearest
            codes[first : first + _BATCH] = index.pq.compute_codes(batch)
        return lists, codes

    def _empty_index(self) -> faiss.IndexIVFPQ:
        size = self.centres.shape[1]
        quantizer = faiss.IndexFlatL2(size)
        quantizer.add(np.ascontiguousarray(self.centres, np.float32))
        index = faiss.IndexIVFPQ(quantizer, size, len(self.centres), size // _PART, _BITS)
        index.by_residual = False
        faiss.copy_array_to_vector(np.ascontiguousarray(self.parts).ravel(), index.pq.centroids)
        index.is_trained = True
        return index


def parts_shape(descriptor_size: int) -> tuple[int, int, int]:
    """Return the shape of `Codebook.parts`."""
    return descriptor_size // _PART, 1 << _BITS, _PART


def trained(sample: NDArray[np.float32], num_lists: int) -> Codebook:
    """
    Return a codebook for rows like those of a sample.

    :param sample: shape (N, D), some dozens of rows a list
    """
    faiss.omp_set_num_threads(1)
    size = sample.shape[1]
    quantizer = faiss.IndexFlatL2(size)
    index = faiss.IndexIVFPQ(quantizer, size, num_lists, size // _PART, _BITS)
    index.by_residual = False
    index.cp.niter = _ITERATIONS
    index.train(np.ascontiguousarray(sample, np.float32))
    centres = quantizer.reconstruct_n(0, num_lists)
    parts = faiss.vector_to_array(index.pq.centroids).reshape(parts_shape(size))
    return Codebook(np.asarray(centres), np.asarray(parts))


class CodedRows:
    """
    Coded rows in lists, searched by one thread at a time.

    In a list, codes stand in blocks as FAISS reads them.
    """

    def __init__(self, codebook: Codebook, num_threads: int = 1) -> None:
        """
        Begin without a row.

        :param num_threads: of FAISS while it searches
        """
        plain = codebook._empty_index()
        self._take(faiss.IndexIVFPQFastScan(plain), plain.quantizer, num_threads)

    def _take(self, index: faiss.IndexIVFPQFastScan, quantizer: Any, num_threads: int) -> None:
        self._num_threads = num_threads
        self._index = index
        self._quantizer = quantizer  # which FAISS does not keep alive
        self._lists = faiss.downcast_InvertedLists(index.invlists)
        self.num_lists = int(index.nlist)
        self._block = int(self._lists.n_per_block), int(self._lists.block_size)

    @classmethod
    def of_rows(
        cls,
        codebook: Codebook,
        rows: NDArray[np.int64],
        lists: NDArray[np.uint16],
        codes: NDArray[np.uint8],
        num_threads: int = 1,
    ) -> CodedRows:
        """
        Return coded rows, which are copied.

        :param rows: shape (N,), their numbers
        :param lists: shape (N,)
        :param codes: shape (N, code_bytes)
        :param num_threads: of FAISS while it searches
        :raise ValueError: a list is not one of the codebook's
        """
        num_lists = len(codebook.centres)
        if len(lists) and lists.max() >= num_lists:
            raise ValueError(f'a row is in list {lists.max()}, there are {num_lists}')
        plain = codebook._empty_index()
        order = np.argsort(lists, kind='stable')
        ends = np.cumsum(np.bincount(lists, minlength=num_lists))
        for number, chosen in enumerate(np.split(order, ends[:-1])):
            ids = np.ascontiguousarray(rows[chosen], np.int64)
            of_list = np.ascontiguousarray(codes[chosen])
            if len(ids):
                pointers = faiss.swig_ptr(ids), faiss.swig_ptr(of_list)
                plain.invlists.add_entries(number, len(ids), *pointers)
        plain.ntotal = len(lists)
        coded = cls.__new__(cls)
        coded._take(faiss.IndexIVFPQFastScan(plain), plain.quantizer, num_threads)
        return coded

    def list_size(self, number: int) -> int:
        """Return the number of rows in a list."""
        return int(self._lists.list_size(number))

    def block_bytes(self, num: int) -> int:
        """Return the bytes of the codes of so many rows of a list."""
        num_rows, num_bytes = self._block
        return -(-num // num_rows) * num_bytes

    def list_of(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Return the rows of a list and their codes, in memory of FAISS: to be read at once."""
        num = self.list_size(number)
        if not num:
            return np.zeros(0, np.int64), np.zeros(0, np.uint8)
        rows = faiss.rev_swig_ptr(self._lists.get_ids(number), num)
        codes = faiss.rev_swig_ptr(self._lists.get_codes(number), self.block_bytes(num))
        return rows, codes

    def make_room(self, number: int, num: int) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """
        Have so many rows in a list, and return where they and their codes are to be written.

        :param num: 0 = none of them
        """
        self._index.ntotal += num - self.list_size(number)
        self._lists.resize(number, num)
        return self.list_of(number)

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self._index.ntotal)

    def lists_about(self, query: NDArray[np.float32], num: int) -> NDArray[np.int64]:
        """
        Return the lists that `nearest` looks into.

        :param query: shape (D,)
        :param num: of them
        """
        faiss.omp_set_num_threads(self._num_threads)
        _, lists = self._quantizer.search(np.ascontiguousarray(query[None], np.float32), num)
        return np.asarray(lists[0])

    def nearest(
        self, query: NDArray[np.float32], num: int, num_lists: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """
        Return the rows that seem nearest, those first.

        :param query: shape (D,)
        :param num_lists: to look into
        :return: shapes (K,), K <= num: rows and their squared distances as the codes tell them
        """
        faiss.omp_set_num_threads(self._num_threads)
        self._index.nprobe = num_lists
        squares, rows = self._index.search(np.ascontiguousarray(query[None], np.float32), num)
        is_row = rows[0] >= 0
        return rows[0, is_row], squares[0, is_row]
