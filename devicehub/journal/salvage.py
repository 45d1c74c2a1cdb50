"""Before the journal is opened: whether it can be trusted, and a new one from what is proven where it cannot.

Damage never keeps the hub from starting, and what it took is never silent. What is wrong is named in the log, the
damaged files are kept aside, and the new journal has a new epoch, so that no number is used twice. Carried over with
its bytes is every proven event that waits for delivery or that a durable consumer did not confirm, what stands, and, of
a journal that is not huge, what retention still keeps. The one refusal is a journal of a newer version.
"""

import contextlib
import hashlib
import logging
import mmap
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final, Self

from msgspec import Struct, structs

from devicehub.disk import Database
from devicehub.journal import boots, carried, tables, wal
from devicehub.journal.carried import Old
from devicehub.journal.carve import Carved, carve, seals
from devicehub.journal.migrate import migrate
from devicehub.journal.pages import Buffer, Pages
from devicehub.journal.proof import Fault, Finding, Value, printable, unsealed
from devicehub.journal.rebuild import Contents, Damage, damages, finish, free_name, replace
from devicehub.journal.tables import SCHEMA_VERSION, Meta, Receipt
from devicehub.journal.verify import BROKEN, Seen, of_the_file, reading, unseen, verify
from devicehub.model.errors import JournalError
from devicehub.model.stream import Stream

_log = logging.getLogger(__name__)

WHOLE: Final = 64 << 20
_LOOKS: Final = 5
"""How often the log of a running hub is looked at: what was read while it was written is no damage."""
SUSPECT: Final = ".suspect"
_MAGIC: Final = b"SQLite format 3\0"


def ready(path: Path, epoch: str) -> None:
    """Leave a journal that can be opened, or none. `epoch`: should a new one have to be made.

    Raises `JournalError` for a journal of a newer version, `sqlite3.Error` and `OSError` of the disk.
    """
    restarted = boots.restarted(path)
    _make_ready(path, epoch, restarted=restarted)
    if restarted is not False:
        boots.note(path)


def _make_ready(path: Path, epoch: str, *, restarted: bool | None) -> None:
    finish(path)
    _roll_back(path)
    log = path.with_name(path.name + "-wal")
    raw = log.read_bytes() if log.exists() else b""
    facts = wal.inspect(raw)
    if restarted and facts.fault and (facts.torn or _spent(path, raw)):
        why = "the power went while it was written, and it was accepted by nobody"
        _log.warning("journal %s: %s; %s", log, facts.fault, why)
        facts = structs.replace(facts, fault="")
    held = path.stat().st_size if path.exists() else 0
    if not held and not facts.frames:
        return
    doubt = path.with_name(path.name + SUSPECT)
    version, findings = _examined(path, held, facts, whole=held < WHOLE or doubt.exists())
    if version == 1:
        migrate(path, epoch)
    elif findings:
        salvage(path, epoch, findings, facts)
    doubt.unlink(missing_ok=True)


def _spent(path: Path, raw: bytes) -> bool:
    with _Mapped(path) as database:
        return wal.spent(raw, database.data)


def suspect(path: Path, error: Exception) -> None:
    """An error of the running journal. Where it speaks of damage the next start looks at all of even a huge file."""
    if isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.ProgrammingError) and of_the_file(error):
        with contextlib.suppress(OSError):  # a mark that cannot be made is no reason to hide the error itself
            path.with_name(path.name + SUSPECT).touch()


def examine(path: Path, seen: Seen = unseen) -> list[Finding]:
    """Everything that is wrong with a journal, which may be in use and is not changed. `seen`: see `verify`.

    Raises `JournalError` for a journal of another version, `sqlite3.Error` and `OSError` for one that cannot be read.
    """
    log = path.with_name(path.name + "-wal")
    raw = b""
    for _ in range(_LOOKS):
        before, raw = raw, log.read_bytes() if log.exists() else b""
        facts = wal.inspect(raw)
        if not facts.fault or raw == before:
            break
    version, findings = _examined(path, path.stat().st_size, facts, whole=True, seen=seen)
    if version == 1:
        raise JournalError(f"journal {path}: it is of version 1, which has no digests; the next start brings it up")
    return findings


def _roll_back(path: Path) -> None:
    """A journal that was being made when the power went may be half written; only a writer may undo that."""
    if not (path.exists() and path.with_name(path.name + "-journal").exists()):
        return
    try:
        with closing(Database(path)) as db:
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        if not of_the_file(error):
            raise  # and damage is found and told by the reading that follows


def salvage(path: Path, epoch: str, findings: list[Finding], facts: wal.Log | None = None) -> None:
    """Replace a damaged journal. Raises `sqlite3.Error` and `OSError`, and then nothing has changed."""
    log = path.with_name(path.name + "-wal")
    with ExitStack() as stack:
        database, logged = (stack.enter_context(_Mapped(file)) for file in (path, log))
        pages = Pages(database.data, logged.data, facts or wal.inspect(bytes(logged.data)))
        known = _newest(seals(pages))
        carved = carve(pages) if known is None else carve(pages, known.epoch, known.chain)
    known = _trusted(path, known, findings, carved)
    if known is None and not carved.rows and _version(path) == 1:
        migrate(path, epoch)
        return
    side = _side(path)
    everything = path.exists() and path.stat().st_size < WHOLE
    old = Old(carved.rows, carved.damaged, known, side.receipts, side.quarantine, findings, everything)
    kept = free_name(path, "damaged")
    contents = _contents(old, side, epoch, kept)
    _say(path, contents.damages[-1])
    replace(path, contents, kept)


def _contents(old: Old, side: "_Side", epoch: str, kept: str) -> Contents:
    rows = carried.rows(old)
    positions = {row[0] for row in rows}
    lost = sum(end - begin + 1 for begin, end in carried.lost_positions(old))
    damage = Damage(old.epoch, carried.findings(old), carried.lost_numbers(old), lost, len(rows), kept)
    recorded = max((row[3] for row in rows), default=None)
    numbers = dict.fromkeys(Stream, 0)
    running = True if old.known is None else old.known.running
    epoch = epoch if epoch != old.epoch else hashlib.sha256(epoch.encode()).hexdigest()[: len(epoch)]
    meta = Meta(epoch, old.last, numbers, carried.marks(old), b"", old.last, running, recorded)
    return Contents(
        rows,
        meta,
        side.announced,
        side.taken,
        [Receipt(one.consumer, one.stream, 0, one.heard) for one in side.receipts],
        [(position, why) for position, why in side.quarantine.items() if position in positions],
        [*side.damages, damage],
    )


def _say(path: Path, damage: Damage) -> None:
    for one in damage.findings:
        _log.error("journal %s: %s", path, one)
    _log.error("journal %s is made anew, %s is kept: %s", path, damage.kept, damage)


class _Mapped:
    """The bytes of a file, without reading them all; none of one that does not exist."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.data: Buffer = b""

    def __enter__(self) -> Self:
        if self._path.exists() and self._path.stat().st_size:
            with self._path.open("rb") as file:
                self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return self

    def __exit__(self, *_: object) -> None:
        if isinstance(self.data, mmap.mmap):
            self.data.close()


def _at_first_sight(path: Path, held: int, facts: wal.Log) -> Iterator[Finding]:
    """What SQLite would not say, or would say by refusing to write."""
    if facts.fault:
        yield Finding(Fault.LOG, detail=facts.fault)
    if not held:
        yield Finding(Fault.STRUCTURE, detail="there is a write-ahead log and no database")
        return
    with path.open("rb") as file:
        head = file.read(100)
    if len(head) < 100 or not head.startswith(_MAGIC):
        yield Finding(Fault.STRUCTURE, detail="it does not begin as a database")
    elif not {head[18], head[19]} <= {1, 2} or head[21:24] != b"\x40\x20\x20":
        yield Finding(Fault.STRUCTURE, detail="its header is damaged")


def _examined(path: Path, held: int, log: wal.Log, *, whole: bool, seen: Seen = unseen) -> tuple[int, list[Finding]]:
    """The version and what is wrong."""
    if findings := list(_at_first_sight(path, held, log)):
        return SCHEMA_VERSION, findings
    try:
        with closing(reading(path)) as db:
            version = _version_of(db)
            if version == SCHEMA_VERSION:
                findings = verify(db, whole=whole, seen=seen)
    except sqlite3.Error as error:
        if not of_the_file(error):
            raise
        return SCHEMA_VERSION, [Finding(Fault.STRUCTURE, detail=printable(str(error)))]
    if version > SCHEMA_VERSION:
        text = f"journal {path}: it is of version {version}, this devicehub knows {SCHEMA_VERSION}; update it"
        raise JournalError(text)
    return version, findings


def _version_of(db: sqlite3.Connection) -> int:
    """The version; 0 of a file without tables. The seal outvotes a number that may be damaged."""
    columns = {name for (name,) in db.execute("SELECT name FROM pragma_table_info('event')")}
    if not columns:
        tables_there: int = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        return SCHEMA_VERSION if tables_there else 0
    if "seq" in columns:
        return 1
    found = db.execute("SELECT value FROM meta NOT INDEXED WHERE name = 'schema'").fetchone()
    version = found[0] if found is not None else None
    if version != SCHEMA_VERSION and (sealed := _sealed(db)) is not None:
        version = sealed.get("schema")
    return version if isinstance(version, int) and version > SCHEMA_VERSION else SCHEMA_VERSION


def _sealed(db: sqlite3.Connection) -> dict[str, Value] | None:
    try:
        found = db.execute("SELECT value FROM seal").fetchone()
    except sqlite3.Error as error:
        if not of_the_file(error):
            raise
        return None
    return None if found is None else unsealed(str(found[0]).encode(errors="surrogateescape"))


def _version(path: Path) -> int:
    try:
        with closing(reading(path)) as db:
            return _version_of(db)
    except sqlite3.Error as error:
        if not of_the_file(error):
            raise
        return SCHEMA_VERSION


def _newest(sealed: list[dict[str, Value]]) -> Meta | None:
    """What the newest unbroken seal says: nothing in it ever goes back."""
    known = [tables.meta_of(one) for one in sealed if one.get("schema") == SCHEMA_VERSION]
    return max(known, key=_age, default=None)


def _age(meta: Meta) -> tuple[int, int, int, bool]:
    return meta.last, meta.pruned, sum(mark.position for mark in meta.acked.values()), meta.running


def _trusted(path: Path, known: Meta | None, findings: list[Finding], carved: Carved) -> Meta | None:
    """What is known: of a broken seal what it sealed, if that is all that is wrong and the rows agree with it."""
    if any(one.fault is not Fault.META or one.detail != BROKEN for one in findings):
        return known
    with closing(reading(path)) as db:
        stored = tables.known(db)
    last = max(carved.rows, default=0)
    agrees = stored.last >= last and (last == 0 or stored.last > last or carved.rows[last][-1] == stored.chain)
    sane = all(mark.position <= stored.last for mark in stored.acked.values())
    return stored if agrees and sane and (known is None or _age(stored) >= _age(known)) else known


class _Side(Struct):
    """The small tables, as far as SQLite reads them; they only say who is waited for and why."""

    receipts: list[Receipt] = []
    announced: list[str] = []
    taken: list[tuple[str, str]] = []
    quarantine: dict[int, str] = {}
    damages: list[Damage] = []


def _side(path: Path) -> _Side:
    side = _Side()
    if not path.exists() or not path.stat().st_size:
        return side
    try:
        with closing(reading(path)) as db:
            side.receipts = tables.receipts(db)
            side.announced += [str(name) for (name,) in db.execute("SELECT device FROM announced")]
            side.quarantine |= {one: printable(why) for one, why in db.execute("SELECT position, why FROM quarantine")}
            side.damages += damages(db)
            side.taken += tables.taken(db)
    except (sqlite3.Error, ValueError) as error:
        if isinstance(error, sqlite3.Error) and not of_the_file(error):
            raise
        _log.error("journal %s: of its receipts, devices and quarantine not all is readable: %s", path, error)
    return side
