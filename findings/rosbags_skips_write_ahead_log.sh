#!/usr/bin/env bash
# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# A recording in SQLite whose recorder was still writing, or was killed, has its newest messages in
# `NAME.db3-wal` beside the database, which is what SQLite's write-ahead log is for: any reader that
# opens the database sees them. rosbags opens it as immutable, which leaves the log aside: the same
# folder holds fewer messages for rosbags than for SQLite, without an error or a warning.
# Seen: rosbags 0.11.9 (2 of 5 messages), Python's sqlite3 (5 of 5). Exits 1 if that has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/read.py" <<'PYTHON'
import shutil
import sqlite3
import sys
from pathlib import Path

from rosbags.rosbag2 import Reader, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

folder = Path(sys.argv[1])
store = get_typestore(Stores.ROS2_JAZZY)
text = store.types['std_msgs/msg/String']
with Writer(folder / 'whole', version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
    topic = writer.add_connection('/said', text.__msgtype__, typestore=store)
    for second in range(5):
        data = store.serialize_cdr(text(data=f'word {second}'), text.__msgtype__)
        writer.write(topic, second * 10**9, data)

# As a recorder with a write-ahead log leaves it: the last three are not yet in the database.
(database,) = (folder / 'whole').glob('*.db3')
recorder = sqlite3.connect(database, isolation_level=None)
newest = recorder.execute('SELECT * FROM messages WHERE id > 2').fetchall()
recorder.execute('DELETE FROM messages WHERE id > 2')
recorder.execute('PRAGMA journal_mode=WAL')
recorder.executemany(f'INSERT INTO messages VALUES ({",".join("?" * len(newest[0]))})', newest)
shutil.copytree(folder / 'whole', folder / 'copy')  # while it is open
recorder.close()

with Reader(folder / 'copy') as reader:
    of_rosbags = sum(1 for _ in reader.messages())
(database,) = (folder / 'copy').glob('*.db3')
of_sqlite = sqlite3.connect(database).execute('SELECT COUNT(*) FROM messages').fetchone()[0]
print(f'rosbags: {of_rosbags} messages, SQLite: {of_sqlite}')
sys.exit((of_rosbags, of_sqlite) != (2, 5))
PYTHON
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check rosbags==0.11.9 numpy==2.2.6
"$work/venv/bin/python" "$work/read.py" "$work"
