# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ask the C library of a process of its own where large pieces of memory come from."""

import ctypes
import subprocess
import sys

import pytest

ASKED = """
import ctypes
from ssd_ros.training.runs.memory import keep_freed_memory

class Mallinfo2(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
                ('arena', 'ordblks', 'smblks', 'hblks', 'hblkhd', 'usmblks', 'fsmblks',
                 'uordblks', 'fordblks', 'keepcost')]

mallinfo = ctypes.CDLL(None).mallinfo2
mallinfo.restype = Mallinfo2
SIZE = 64 << 20

def taken():
    before = mallinfo()
    memory = bytearray(SIZE)
    during = mallinfo()
    del memory
    return during.hblkhd - before.hblkhd, mallinfo().arena - before.arena

print(*taken())
keep_freed_memory()
print(*taken())
"""


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), 'mallinfo2'), reason='the C library is not glibc >= 2.33'
)
def test_large_pieces_stay_with_the_process_that_freed_them() -> None:
    command = [sys.executable, '-c', ASKED]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    before, after = ([int(word) for word in line.split()] for line in printed.splitlines())
    size = 64 << 20
    assert before[0] >= size  # a mapping of its own, which is given back
    assert before[1] < size // 2
    assert after[0] == 0
    assert after[1] >= size // 2  # the rest may have been there
