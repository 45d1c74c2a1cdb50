"""What happened to alarms, as the journal holds it: of what is real or simulated, whatever the station was called."""

import sqlite3
from contextlib import closing

from devicehub.journal.happened import alarm_events, inspection_events
from devicehub.journal.rows import TABLE, Entry, genesis, row
from devicehub.model.stream import Stream
from devicehub.publish.port import Outgoing

TOLD = (
    (Stream.ALARMS, "devicehub/v1/bcp-old/lane-1/event/alarm-raised"),
    (Stream.ALARMS, "devicehub-sim/v1/bcp/lane-1/event/alarm-raised"),
    (Stream.ALARMS, "devicehub/v1/bcp/lane-1/event/alarm-acked"),
    (Stream.EVENTS, "devicehub/v1/bcp/lane-1/reading/cam/alarm-x"),
    (Stream.EVENTS, "devicehub/v1/bcp-old/lane-1/event/inspection-begun"),
)


def test_events_are_found_under_every_name_and_never_mixed() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute(TABLE)
        for position, (stream, topic) in enumerate(TOLD, 1):
            out = Outgoing(topic, b"%d" % position, 1, retain=False, expiry=None, type="t", id="i", subject="s")
            stored = row(Entry(position, stream, position, 100.0, None, out), genesis("e"))
            db.execute(f"INSERT INTO event VALUES ({', '.join('?' * len(stored))})", stored)
        assert [*alarm_events(db, exercise=False)] == [b"1", b"3"]
        assert [*alarm_events(db, exercise=True)] == [b"2"]
        assert [*inspection_events(db, exercise=False)] == [b"5"]
        assert [*inspection_events(db, exercise=True)] == []
