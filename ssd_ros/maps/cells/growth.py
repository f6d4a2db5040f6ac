# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
A map of squares changed where it stands: drives come and go, and other maps are taken in.

Files are named by what they hold and never written to again. A step writes those of the squares
that change, and of the arrays, beside the ones that are there; then meta.json takes the place of
the one before, by one rename, and the map is another. Interrupted earlier it has not begun. The
files of the state before stay, so that nodes that have it open go on answering, until the next
step begins, which also clears away what an interrupted one has left.

New rows are coded by the codebook that is there. It is trained anew, and all squares written, once
there are MAX_GROWTH times the rows that it was trained for: its lists have then become so much
longer, and with them every search.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple
import uuid

from ssd_ros import __version__
from ssd_ros.data_origin import Origin, SIMULATED
from ssd_ros.files import locked
from ssd_ros.maps.cells.agreement import misfit_between_m
from ssd_ros.maps.cells.files import CellMap, read_cells, write_description
from ssd_ros.maps.cells.sources import Plan, plan_of, plan_of_squares
from ssd_ros.maps.cells.store import MAX_SESSIONS, Session
from ssd_ros.maps.cells.writing import Progress, write_cells, write_squares
from ssd_ros.maps.files import MapInfo
from ssd_ros.maps.meta import CELLS_VERSION, MapError, read_meta, REBUILD
from ssd_ros.maps.place_search import require_one_frame
from ssd_ros.maps.target import BOTH, check_map_target, MAP_FOLDER
from ssd_ros.targets import remove_others
from ssd_ros.verification.pose_misfit import MAX_MISFIT_M

_MANY = 9  # drives named in a message


class Addition(NamedTuple):
    """
    What a map is to take in.

    :param name: for messages
    :param plan: returns it, given the number that its first drive has in the map
    """

    name: str
    plan: Callable[[int], Plan]


@dataclass(frozen=True, slots=True)
class Selection:
    """
    Drives of a map.

    :param name: '' = any
    :param day: likewise
    """

    name: str = ''
    day: str = ''

    def numbers(self, sessions: Sequence[Session]) -> list[int]:
        """
        Return which drives these are.

        :raise MapError: none is, with those that there are
        """
        found = [
            number
            for number, session in enumerate(sessions)
            if self.name in ('', session.name) and self.day in ('', session.day)
        ]
        if found:
            return found
        wanted = ' '.join(
            filter(None, [self.name and repr(self.name), self.day and f'of {self.day}'])
        )
        there = [session.text for session in sessions[:_MANY]]
        there += [f'{len(sessions) - _MANY} more'] if len(sessions) > _MANY else []
        raise MapError(f'no drive {wanted} is in the map: there are {", ".join(there)}')


class Step(NamedTuple):
    """
    What became of a map.

    :param misfits_m: by how much what came stands elsewhere than the map says, NaN if they never
        met
    :param num_written: files of squares that were not there before
    :param is_trained: whether its codebook is a new one
    """

    added: Sequence[Session]
    dropped: Sequence[Session]
    misfits_m: Mapping[str, float]
    num_squares: int
    num_written: int
    is_trained: bool


def change(
    path: Path,
    additions: Sequence[Addition] = (),
    dropped: Selection | None = None,
    output: Path | None = None,
    progress: Progress | None = None,
) -> Step:
    """
    Take drives into a map of squares and others out of it, all or nothing.

    The map gets another UUID, and another novelty distance.

    :param dropped: drives that go; None = none
    :param output: the new map, as which all is written; None = the map itself is changed
    :param progress: called after each square with the number done and the number of all
    :raise MapError: they do not belong together, or the map cannot be read or written, and why
    """
    if output is not None and output.resolve() != path.resolve():
        check_map_target(output)
        base, gone = _base(path, dropped)
        plan, misfits_m = _whole(path, base, additions)
        write_cells(output, plan, progress)
        return _step(base, gone, plan, misfits_m, read_cells(output), ())
    read_meta(path, (CELLS_VERSION,))
    check_map_target(path)
    with locked(path, 'a map'):
        found = read_cells(path)
        base, gone = _without(found, dropped)
        plan, misfits_m = _whole(path, base, additions)
        written = _replaced(path, found, plan, progress)
    return _step(base, gone, plan, misfits_m, written, found.store.names)


def _base(path: Path, dropped: Selection | None) -> tuple[Plan, list[Session]]:
    """Return what is left of a map of either form, and the drives that are not."""
    version = read_meta(path, BOTH)['format_version']
    if version == CELLS_VERSION or dropped is not None:
        return _without(read_cells(path), dropped)
    return plan_of(path), []


def _without(found: CellMap, dropped: Selection | None) -> tuple[Plan, list[Session]]:
    numbers = dropped.numbers(found.sessions) if dropped is not None else []
    return plan_of_squares(found, numbers), [found.sessions[number] for number in numbers]


def _step(
    base: Plan,
    gone: Sequence[Session],
    plan: Plan,
    misfits_m: Mapping[str, float],
    written: CellMap,
    before: Collection[str],
) -> Step:
    """Return what became of a map, whose squares had these files before."""
    added = plan.sessions[len(base.sessions) :]
    num_written = len(set(written.store.names).difference(before))
    is_trained = written.plan is not None and written.plan != base.search
    return Step(added, gone, misfits_m, len(written.store.names), num_written, is_trained)


def _replaced(path: Path, found: CellMap, plan: Plan, progress: Progress | None) -> CellMap:
    """Write what a map is to be beside what it is, and let it be that."""
    remove_others(path, MAP_FOLDER, found.files)
    try:
        written = write_squares(path, plan, progress)
        if read_meta(path, BOTH)['info'].get('uuid') != found.info.uuid:
            raise MapError(f'{path} was replaced meanwhile: try again')
        write_description(path, written)
    except BaseException:
        remove_others(path, MAP_FOLDER, read_cells(path).files)
        raise
    return written


def _whole(path: Path, base: Plan, additions: Sequence[Addition]) -> tuple[Plan, dict[str, float]]:
    """
    Return what a map becomes with what it takes in, and by how much each stands elsewhere.

    :raise MapError: they do not belong together, or nothing is left
    """
    cells = {cell: list(sources) for cell, sources in base.cells.items()}
    sessions, infos = list(base.sessions), [base.info]
    confidence, misfits_m = base.confidence, {}
    for name, plan in additions:
        part = plan(len(sessions))
        _require_fit(name, part, path, base)
        misfits_m[name] = _agreement_m(name, part, path, base)
        for session in part.sessions:
            _require_new(session, sessions, path)
        for cell, sources in part.cells.items():
            cells.setdefault(cell, []).extend(sources)
        sessions += part.sessions
        infos.append(part.info)
        confidence = confidence or part.confidence
    if not sessions:
        raise MapError(f'nothing would be left of {path}: delete the folder if that is meant')
    if len(sessions) > MAX_SESSIONS:
        raise MapError(f'{len(sessions)} drives are too many: at most {MAX_SESSIONS}')
    whole = base._replace(
        info=_info(infos, sessions),
        confidence=confidence,
        sessions=sessions,
        cells=cells,
        is_mixed=True,
    )
    return whole, misfits_m


def require_encoder(name: str, space: str, digest: str, path: Path, info: MapInfo) -> None:
    """
    Refuse what is encoded otherwise than a map.

    :param space: that the encoder's descriptors are in
    :param digest: SHA-256 of its file
    :raise MapError: why, and the way out
    """
    if space != info.descriptor_space:
        raise MapError(
            f'{name} is encoded in descriptor space {space[:12]}, {path} in '
            f'{info.descriptor_space[:12]}: take the model of the map (--teacher, --student of '
            'build_db and map add)'
        )
    if digest != info.encoder_digest:
        raise MapError(
            f'{name} is encoded by another file of the model ({digest[:12]}) than {path} '
            f'({info.encoder_digest[:12]}): take that one (--teacher, --student of build_db and '
            'map add)'
        )


def _require_fit(name: str, part: Plan, path: Path, base: Plan) -> None:
    """
    Refuse what does not belong into a map.

    :raise MapError: why, and the way out
    """
    info, there = part.info, base.info
    require_encoder(name, info.descriptor_space, info.encoder_digest, path, there)
    kinds = {
        'sensor': (info.sensor, there.sensor),
        'submaps (m)': (info.submap_m, there.submap_m),
        'opposite lane (m)': (info.opposite_lane_m, there.opposite_lane_m),
        'views': (info.num_views, there.num_views),
        'numbers a descriptor': (part.layout.descriptor_size, base.layout.descriptor_size),
        'returns a keyframe': (part.layout.num_returns, base.layout.num_returns),
    }
    for kind, (has, expected) in kinds.items():
        if has != expected:
            raise MapError(f'{kind}: {has} in {name}, {expected} in {path}: {REBUILD} alike')
    if (info.data_origin.kind == SIMULATED) != (there.data_origin.kind == SIMULATED):
        raise MapError(
            f'{name} is of {info.data_origin.text}, {path} of {there.data_origin.text}: simulated '
            'drives stay in maps of their own'
        )
    if info.pose_misfit_m is not None and info.pose_misfit_m > MAX_MISFIT_M:
        raise MapError(
            f'the poses of {name} disagree with its returns by {info.pose_misfit_m:.2f} m (at '
            f'most {MAX_MISFIT_M:.1f}), so that nothing would be accepted in the whole map: give '
            'it better ones (map repose)'
        )
    require_one_frame([str(path), name], [base, part])


def _agreement_m(name: str, part: Plan, path: Path, base: Plan) -> float:
    """
    Return by how much something stands elsewhere than a map says, NaN if they never met.

    :raise MapError: so much that both cannot be in one frame
    """
    misfit_m = misfit_between_m(base, part)
    if misfit_m > MAX_MISFIT_M:
        raise MapError(
            f'{name} stands {misfit_m:.2f} m off {path} where both have been (median; at most '
            f'{MAX_MISFIT_M:.1f}): their frames differ; give it poses in that of the map (map '
            'repose)'
        )
    return misfit_m


def _require_new(session: Session, sessions: Collection[Session], path: Path) -> None:
    """Refuse a drive that is in a map already."""
    for there in sessions:
        is_same = bool(session.uuid) and session.uuid == there.uuid
        if is_same or (session.name, session.day) == (there.name, there.day):
            raise MapError(
                f'{session.text} is in {path} already, as {there.text}: map replace puts another '
                'recording in its place, --session gives it another name'
            )


def _info(infos: Sequence[MapInfo], sessions: Sequence[Session]) -> MapInfo:
    """Return what a map says of itself that is made of others, with these drives of theirs."""
    first, more = sessions[0], len(sessions) - 1
    misfits_m = [each.pose_misfit_m for each in sessions if each.pose_misfit_m is not None]
    poses = {session.poses for session in sessions}
    novelties = [info.novelty_distance for info in infos if info.novelty_distance]
    return replace(
        infos[0],
        source=first.name + (f' and {more} more' if more else ''),
        origin=next((info.origin for info in infos if info.origin), ''),
        poses=poses.pop() if len(poses) == 1 else '',
        num_scans=sum(session.num_scans for session in sessions),
        num_without_pose=sum(session.num_without_pose for session in sessions),
        num_unreadable=sum(session.num_unreadable for session in sessions),
        pose_misfit_m=max(misfits_m, default=None),
        novelty_distance=min(novelties, default=0.0),
        data_origin=_origin(sessions),
        software_version=__version__,
        created=datetime.now(timezone.utc).isoformat(timespec='seconds'),
        uuid=str(uuid.uuid4()),
    )


def _origin(sessions: Sequence[Session]) -> Origin:
    """Return where the data of several drives come from, as far as it is the same."""
    first, *others = (session.data_origin for session in sessions)
    same = {
        name: getattr(first, name)
        for name in ('kind', 'by', 'world', 'seed')
        if all(getattr(other, name) == getattr(first, name) for other in others)
    }
    return Origin(**same) if 'kind' in same else Origin()
