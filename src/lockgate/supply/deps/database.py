"""Keeps advisories locally: one SQLite file that is replaced as a whole and read without the network."""

import datetime as dt
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Self, cast

import msgspec

from lockgate.core import ConfigError, strict_yaml
from lockgate.core.home import home, private_folder
from lockgate.supply.deps.advisory import Advisory, AdvisoryError, Affected, read_advisory
from lockgate.supply.deps.advisory_source import Advisories, open_source
from lockgate.supply.errors import SupplyError

FILE_NAME = "advisories.sqlite"
SCHEMA = "1"
MAX_NAMED = 3
_CLOCK_SKEW = dt.timedelta(days=1)
_DECODER = msgspec.json.Decoder(list[Affected])
_REFETCH = "Run 'lockgate db update --from SOURCE' again."

Progress = Callable[[int], None]


class DatabaseInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a database says about itself.

    Attributes:
        data_at: When the newest advisory in it was last changed: how old the data is.
        updated_at: When it was written.
        source: Where it came from.
        sha256: Digest of that source.
        advisories: How many advisories it matches.
        packages: How many packages they speak of.
        withdrawn: How many advisories were taken back, and so are not matched.
    """

    data_at: dt.datetime
    updated_at: dt.datetime
    source: str
    sha256: str
    advisories: int
    packages: int
    withdrawn: int

    def age(self, now: dt.datetime) -> dt.timedelta:
        """How old the data is at `now`."""
        return now - self.data_at


def default_folder() -> Path:
    """Where the database lies unless somebody says otherwise."""
    return home() / "vulnerabilities"


class Database:
    """A database, opened for reading. Use it as a context manager.

    Args:
        folder: Where `update` wrote it.

    Raises:
        SupplyError: There is none, or it is damaged, empty, or of another version.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / FILE_NAME
        if path.is_symlink() or not path.is_file():
            raise SupplyError("There is no vulnerability database.", remedy="Run 'lockgate db update --from SOURCE'.")
        try:
            # Immutable: no journal of a stranger beside it is ever played back.
            self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        except sqlite3.Error as error:
            raise SupplyError("The vulnerability database cannot be read.", remedy=_REFETCH) from error
        try:
            self.info = self._read_info()
        except (sqlite3.Error, ValueError, TypeError, msgspec.MsgspecError) as error:
            self.close()
            raise SupplyError("The vulnerability database cannot be read.", remedy=_REFETCH) from error
        except SupplyError:
            self.close()
            raise
        if not self.info.advisories:
            self.close()
            raise SupplyError("The vulnerability database is empty.", remedy=_REFETCH)

    def _read_info(self) -> DatabaseInfo:
        rows = cast("list[tuple[str, str]]", self._connection.execute("SELECT key, value FROM meta").fetchall())
        stated = dict(rows)
        if stated.get("schema") != SCHEMA:
            raise SupplyError("The vulnerability database is of another version.", remedy=_REFETCH)
        return msgspec.json.decode(stated.get("info", ""), type=DatabaseInfo)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def affected(self, ecosystem: str, name: str) -> list[Affected]:
        """What all advisories say about a package, by its normal name.

        Raises:
            SupplyError: The file is damaged.
        """
        try:
            row = cast(
                "tuple[bytes] | None",
                self._connection.execute(
                    "SELECT body FROM package WHERE ecosystem = ? AND name = ?", (ecosystem, name)
                ).fetchone(),
            )
            return _DECODER.decode(row[0]) if row else []
        except (sqlite3.Error, msgspec.MsgspecError, TypeError) as error:
            raise SupplyError("The vulnerability database cannot be read.", remedy=_REFETCH) from error


def update(
    source: str, folder: Path, *, now: dt.datetime, sha256: str = "", older: bool = False, progress: Progress
) -> DatabaseInfo:
    """Replace the database by what a source holds. The old one stays as it is if anything is wrong.

    Args:
        source: A zip archive, a folder, or an https address.
        folder: Where the database lies.
        now: The time of the update, UTC.
        sha256: Digest that the source must have; empty for any.
        older: Accept data that is older than what is there, which otherwise looks like an attempt to hide advisories.
        progress: Called with the number of advisories read.

    Raises:
        SupplyError: The source cannot be read as a whole, is empty, is not the one expected, or is older.
    """
    with ExitStack() as stack:
        advisories = open_source(source, stack)
        gathered = _gather(_parsed(advisories, progress), now)
        if sha256 and advisories.sha256 != sha256:
            raise SupplyError(
                f"{advisories.label} has the digest {advisories.sha256}, which is not the expected one.",
                remedy="Do not use it before you know why.",
            )
        info = DatabaseInfo(
            data_at=gathered.newest,
            updated_at=now,
            source=advisories.label,
            sha256=advisories.sha256,
            advisories=gathered.count,
            packages=len(gathered.packages),
            withdrawn=gathered.withdrawn,
        )
    if not info.advisories:
        raise SupplyError(
            f"{info.source} holds no advisory about PyPI or npm packages.", remedy="Name a source in OSV's format."
        )
    if gathered.newest == _NEVER:
        raise SupplyError(
            f"Every advisory of {info.source} is dated in the future, so nobody can tell how old its data is.",
            remedy="Set this machine's clock, or take another source.",
        )
    if not older:
        _require_newer(folder, info)
    _write(folder, info, gathered.packages)
    return info


_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)


class _Gathered:
    """Advisories by package."""

    def __init__(self) -> None:
        self.packages: dict[tuple[str, str], list[Affected]] = {}
        self.newest = _NEVER
        self.count = 0
        self.withdrawn = 0


def _gather(advisories: Iterable[Advisory], now: dt.datetime) -> _Gathered:
    found = _Gathered()
    for advisory in advisories:
        # A time to come would make old data look new for ever.
        if advisory.modified <= now + _CLOCK_SKEW:
            found.newest = max(found.newest, min(advisory.modified, now))
        if not advisory.affected:
            continue
        if advisory.withdrawn:
            found.withdrawn += 1
            continue
        found.count += 1
        for ecosystem, name, affected in advisory.affected:
            found.packages.setdefault((ecosystem, name), []).append(affected)
    return found


def _parsed(advisories: Advisories, progress: Progress) -> Iterator[Advisory]:
    broken: list[str] = []
    for count, (name, body) in enumerate(advisories.items(), start=1):
        progress(count)
        try:
            yield read_advisory(_document(name, body))
        except (AdvisoryError, ConfigError, ValueError, RecursionError):
            broken.append(ascii(name)[1:-1])
    if broken:
        shown = ", ".join(broken[:MAX_NAMED]) + (" and others" if len(broken) > MAX_NAMED else "")
        raise SupplyError(
            f"{len(broken):,} files of {advisories.label} are no advisories in OSV's format: {shown}.",
            remedy="Repair or remove them: what cannot be read cannot be matched.",
        )


def _document(name: str, body: bytes) -> object:
    if name.lower().endswith(".json"):
        return cast("object", msgspec.json.decode(body))
    return strict_yaml.load(body, name="the advisory")


def _require_newer(folder: Path, info: DatabaseInfo) -> None:
    try:
        with Database(folder) as present:
            held = present.info.data_at
    except SupplyError:
        return  # there is nothing to protect
    if info.data_at < held:
        raise SupplyError(
            f"{info.source} ends on {info.data_at:%Y-%m-%d}, before the data that is there ({held:%Y-%m-%d}).",
            remedy="Take a newer source; --older accepts it all the same.",
        )


def _write(folder: Path, info: DatabaseInfo, packages: dict[tuple[str, str], list[Affected]]) -> None:
    private_folder(folder)
    target = folder / FILE_NAME
    temporary = folder / f".{FILE_NAME}.{secrets.token_hex(8)}.tmp"
    try:
        with closing(sqlite3.connect(temporary)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
            connection.execute(
                "CREATE TABLE package (ecosystem TEXT, name TEXT, body BLOB NOT NULL, PRIMARY KEY (ecosystem, name))"
            )
            connection.execute("INSERT INTO meta VALUES ('schema', ?)", (SCHEMA,))
            connection.execute("INSERT INTO meta VALUES ('info', ?)", (msgspec.json.encode(info).decode(),))
            rows = ((*key, msgspec.json.encode(found)) for key, found in sorted(packages.items()))
            connection.executemany("INSERT INTO package VALUES (?, ?, ?)", rows)
            connection.commit()
        temporary.chmod(0o600)
        _sync(temporary)
        temporary.replace(target)
        _sync(folder)
    except sqlite3.Error as error:
        raise SupplyError("The vulnerability database cannot be written.", remedy="Free some space.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
