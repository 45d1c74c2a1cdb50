"""X-ray imagers, backscatter cameras and others whose software leaves a picture and what it says of it beside it.

    bag-17.png or bag-17.jpg          the picture, kept as evidence exactly as it is; no pixel is decoded
    bag-17.json, .xml or .txt         what it says (also bag-17.png.json): names and texts, see `_image_files`

Both have one name, which is the `run` of the picture and the `sample_id` of the result; the item that a sidecar names
begins its note. They may come in any order; each is told at once, since a file is put aside when what it says is
stored. A picture whose sidecar does not come within `wait` seconds gives an inconclusive result, cause incomplete: it
was never said to be clear. A sidecar whose picture does not come is a fault.

The names that the sidecar is searched for, and the words of its verdict, are options; they are compared without case.
A verdict in other words is inconclusive, and told in `defects`. Where a sidecar has several verdicts (of two views, of
each thing in a list, of a name that is there twice) the worst is that of the picture: alarm, inconclusive, clear; of
findings all are told, of anything else the first. That they differ is a defect.

Source: none; makers have no common form. PNG and JPEG: see `devicehub.wire`.
"""

from collections.abc import Mapping, Sequence

from devicehub.driver import Driver, FileLink, Options
from devicehub.model.device import Category, Channel, ChannelKind, Option
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Cause, Identified, Image, Layout, Outcome, Result, Sample
from devicehub.wire.defects import Defects, instant_of, plain
from devicehub.wire.findings import finding, worst
from devicehub.wire.jpeg import check_jpeg, trim_jpeg
from devicehub.wire.packet import Packet
from devicehub.wire.png import check_png
from devicehub.wire.protocol import DeviceProtocol, Step
from drivers.screening._image_files import sidecar_facts

MOST_BYTES = 16 * 1024 * 1024
MOST_WAITING = 256
MOST_FOUND = 32
_PICTURES = frozenset({"png", "jpg", "jpeg"})
_SIDECARS = frozenset({"json", "xml", "txt"})
_NAMES = ("verdict", "item", "finding", "note", "time", "operator")


class Pairs:
    """Pictures and sidecars as they come."""

    def __init__(self, options: Options) -> None:
        self._names = {name: str(options[f"{name}-name"]).lower() for name in _NAMES}
        self._words = {
            word.strip().lower(): outcome
            for outcome in (Outcome.CLEAR, Outcome.ALARM)
            for word in str(options[f"{outcome.value}-words"]).split(",")
        }
        self._wait = float(options["wait"])
        self._alone: dict[tuple[str, bool], float] = {}

    def start(self, now: float) -> Step:
        """Nothing to ask."""
        del now
        return Step()

    def on_packet(self, now: float, packet: Packet) -> Step:
        """One file to what it says, or to one fault."""
        name, kind = _parts(packet.port)
        picture = kind in _PICTURES
        name = plain(name if picture or _parts(name)[1] not in _PICTURES else _parts(name)[0])
        try:
            samples = self._picture(name, packet.data) if picture else self._sidecar(name, kind, packet.data)
        except ProtocolError as error:
            return self._step(now, (), ProtocolError(error.reason, f"{packet.port}: {error.detail}"))
        if self._alone.pop((name, not picture), None) is None:
            self._alone[name, picture] = now + self._wait
        return self._step(now, samples)

    def on_timer(self, now: float) -> Step:
        """A picture or a sidecar has waited long enough."""
        return self._step(now, ())

    def _step(self, now: float, samples: tuple[Sample, ...], *faults: ProtocolError) -> Step:
        late = [key for key, until in self._alone.items() if until <= now]
        late = late or list(self._alone)[: max(0, len(self._alone) - MOST_WAITING)]
        results: list[Sample] = []
        missing: list[ProtocolError] = []
        for name, picture in late:
            del self._alone[name, picture]
            if picture:
                told = (f"no sidecar within {self._wait:g} s",)
                results.append(Result(Outcome.INCONCLUSIVE, name, cause=Cause.INCOMPLETE, defects=told))
            else:
                missing.append(ProtocolError(Reason.TIMEOUT, f"{name}: no picture within {self._wait:g} s"))
        wake = min(self._alone.values(), default=None)
        return Step(samples=(*samples, *results), faults=(*faults, *missing), wake_at=wake)

    def _picture(self, name: str, data: bytes) -> tuple[Sample, ...]:
        if len(data) > MOST_BYTES:
            raise ProtocolError(Reason.OVERFLOW, f"{len(data)} bytes, more than {MOST_BYTES}")
        png = data.startswith(b"\x89PNG")
        width, height = check_png(data) if png else check_jpeg(trim_jpeg(data))
        if width < 1 or height < 1:
            raise ProtocolError(Reason.RANGE, f"a picture of {width}x{height} pixels")
        return (Image("image", data, Layout.PNG if png else Layout.JPEG, width, height, run=name),)

    def _sidecar(self, name: str, kind: str, data: bytes) -> tuple[Sample, ...]:
        if kind not in _SIDECARS:
            raise ProtocolError(Reason.UNSUPPORTED, "neither a picture nor a sidecar")
        defects = Defects()
        facts = sidecar_facts(kind, data, defects)
        outcome = self._outcome(facts.get(self._names["verdict"], ()), defects)
        said = {known: self._first(known, facts, defects) for known in _NAMES if known not in {"verdict", "finding"}}
        at = instant_of(said["time"], defects) if said["time"] else None
        found = self._findings(facts, defects) if outcome is Outcome.ALARM else ()
        result = Result(
            outcome,
            name,
            identified=tuple(Identified(one) for one in found),
            note=": ".join(text for text in (said["item"], said["note"]) if text),
            operator=said["operator"],
            defects=defects.texts,
            device_time=at,
        )
        if outcome is not Outcome.ALARM:
            return (result,)
        item = said["item"] or name
        return (
            result,
            *(alarm for one in found or ("",) for alarm in finding("found", one, f"{one or 'found'}: {item}")),
        )

    def _outcome(self, said: Sequence[str], defects: Defects) -> Outcome:
        """The worst of what is said."""
        outcomes: set[Outcome] = set()
        for text in said or ("",):
            outcome = self._words.get(text.lower()) if text else None
            if outcome is None:
                defects.add(f"verdict '{plain(text)}' is not one of the words that are known")
            outcomes.add(outcome or Outcome.INCONCLUSIVE)
        if len(outcomes) > 1:
            defects.add(f"verdicts that differ: {plain(', '.join(said))}")
        return worst(outcomes)

    def _first(self, known: str, facts: Mapping[str, Sequence[str]], defects: Defects) -> str:
        """Its text, the first where there are several; empty where there is none."""
        said = [text for text in facts.get(self._names[known], ()) if text]
        if len(said) > 1:
            defects.add(f"{len(said)} texts of the {known}: the first is told")
        return plain(said[0]) if said else ""

    def _findings(self, facts: Mapping[str, Sequence[str]], defects: Defects) -> Sequence[str]:
        found = [plain(text) for text in facts.get(self._names["finding"], ()) if text]
        return defects.first(found, MOST_FOUND, "findings")


def _parts(name: str) -> tuple[str, str]:
    """A file's name without its last suffix, and that in lower case."""
    stem, dot, suffix = name.rpartition(".")
    return (stem, suffix.lower()) if dot and stem else (name, "")


def protocol(options: Options) -> DeviceProtocol:
    """A fresh reader of files."""
    return Pairs(options)


DRIVER = Driver(
    title="X-ray imager or any other that leaves pictures with sidecars",
    category=Category.SCREENING,
    link=FileLink(patterns=("*.png", "*.jpg", "*.jpeg", "*.json", "*.xml", "*.txt"), limit=MOST_BYTES),
    channels=(Channel(name="image", title="Picture", kind=ChannelKind.IMAGE),),
    options=(
        *(Option(name=f"{name}-name", title=f"Name of the {name} in a sidecar", default=name) for name in _NAMES),
        Option(name="clear-words", title="Words for nothing found, with commas between them", default="clear"),
        Option(name="alarm-words", title="Words for something found, with commas between them", default="alarm"),
        Option(name="wait", title="Seconds that one of the two waits for the other", default=60.0, low=1, high=3600),
    ),
    protocol=protocol,
    stale_after=600.0,
)
