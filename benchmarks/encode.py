"""Cost of encoding one reading, as a ratio to `json.dumps` of the same dictionary.

Run: python benchmarks/encode.py. Ratios travel between machines, microseconds do not.
"""

import json
import timeit

from devicehub.model.message import Kind, Message, Place
from devicehub.model.payload import LimitsData, ReadingData
from devicehub.model.reading import Quality
from devicehub.model.stream import Stream
from devicehub.model.units import Unit
from devicehub.publish.envelope import Encoder
from devicehub.publish.port import Outgoing
from devicehub.publish.properties import for_publish

ROUNDS = 20_000
REPEATS = 7


def microseconds(work: timeit.Timer) -> float:
    return min(work.repeat(REPEATS, ROUNDS)) / ROUNDS * 1e6


def main() -> None:
    reading = ReadingData(
        1.84, Unit.NANOGRAM, Quality.GOOD, uncertainty=0.2, confidence=0.93, limits=LimitsData(0.5, 1.0)
    )
    message = Message(
        Kind.READING, "reading", "01K9XQ5ZJ4M8Q0Z3T7V1B2C3D4", 1.8e9, 1.0, reading, device="trace-1", point="tnt"
    )
    place = Place("0a1b2c3d", Stream.EVENTS, 48213, 48377, 1.8e9)
    encoder = Encoder("xk-merdare", "lane2-ws1", boot="7f3a91c2", exercise=False)
    payload = encoder.encode(message, place)
    fields = json.loads(payload)
    out = Outgoing("t", payload, 1, retain=False, expiry=None, type="io.devicehub.reading", id="i", subject="s")
    ours = microseconds(timeit.Timer(lambda: encoder.encode(message, place)))
    plain = microseconds(timeit.Timer(lambda: json.dumps(fields, separators=(",", ":")).encode()))
    properties = microseconds(timeit.Timer(lambda: for_publish(out)))
    print(f"{len(payload)} bytes")
    print(f"envelope and data       {ours:6.2f} us   {ours / plain:5.2f} x json.dumps")
    print(f"json.dumps of the same  {plain:6.2f} us   1.00")
    print(f"MQTT 5 properties       {properties:6.2f} us   {properties / plain:5.2f}")


if __name__ == "__main__":
    main()
