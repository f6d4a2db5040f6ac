# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where running drives are saved: below one folder, and over nothing but their earlier states."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePath

from ssd_ros.maps.meta import MapError
from ssd_ros.maps.target import check_map_target, info_of_target
from ssd_ros.user_paths import user_path

MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class SessionFolder:
    """
    The folder of saved drives.

    :param directory: of all of them, `~` allowed
    :param may_overwrite: a saved drive may take the place of another one, or of one in use
    """

    directory: str
    may_overwrite: bool = False

    def path_of(self, name: str) -> Path:
        """
        Return where a drive of this name is saved.

        :raise MapError: the name leads out of the folder or cannot be read, or there is no folder
        """
        if not self.directory:
            raise MapError('session_directory is empty, so no drive is saved')
        if not name.isprintable() or len(name) > MAX_NAME:
            raise MapError(
                f'session_path is {name[:MAX_NAME]!r}, expected at most {MAX_NAME} characters '
                'that can be read'
            )
        parts = PurePath(name).parts
        if not parts or PurePath(name).is_absolute() or '..' in parts or parts[0].startswith('~'):
            raise MapError(
                f'session_path is {name!r}, expected a name below session_directory '
                f'({self.directory}), such as drive_1'
            )
        folder = user_path(self.directory).resolve()
        path = folder / name
        try:
            resolved = path.resolve()
        except (OSError, RuntimeError, ValueError) as error:
            raise MapError(f'session_path is {name!r}: {error}') from error
        if folder not in resolved.parents:
            raise MapError(f'{path} leads out of {folder} to {resolved}: choose another name')
        return resolved

    def check(self, path: Path, uuid: str, uuids_in_use: Collection[str]) -> None:
        """
        Refuse to save a drive where anything but an earlier state of it stands.

        :param uuid: of the drive
        :param uuids_in_use: of the maps that are being searched in
        :raise MapError: what stands there, and the way out
        """
        check_map_target(path, sensor='4d')
        there = info_of_target(path)
        if there is None or self.may_overwrite:
            return
        way_out = 'choose another session_path, or start the node with overwrite_sessions:=true'
        if there.get('uuid') in uuids_in_use:
            raise MapError(f'{path} is a map in use: {way_out}')
        if there.get('uuid') != uuid:
            raise MapError(f'{path} is another drive ({there.get("uuid")}): {way_out}')
