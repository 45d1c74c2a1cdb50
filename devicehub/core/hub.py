"""The core: one `step` takes what came from all devices and gives what is to be said about it."""

from collections.abc import Collection, Iterable, Sequence
from math import isfinite

from devicehub.alarm.acts import Act, RefusedActError
from devicehub.core.alarms import AlarmPoints, Cause, StandingAlarm
from devicehub.core.census import DeviceCount
from devicehub.core.exposures import Exposures
from devicehub.core.frames import capture_data
from devicehub.core.limits import judge, lapse
from devicehub.core.measure import Judged, checked, joined, judged_by, reading_data, spectrum_data
from devicehub.core.memories import Memories, Taken
from devicehub.core.mobility import Screenings
from devicehub.core.proof import KEY, Proof, with_proof
from devicehub.core.scans import judged
from devicehub.core.setting import Outcome, Setting
from devicehub.core.shadow import Shadow
from devicehub.core.state import DeviceBook
from devicehub.core.verdicts import device_result
from devicehub.core.watch import Feed, Numbers, feeds
from devicehub.model.alarm import Condition
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AnyPayload, DeviceEventData
from devicehub.model.reading import (
    Capability,
    Change,
    DeviceAlarm,
    Dropped,
    Fault,
    Identity,
    Image,
    Input,
    Measurement,
    Reading,
    Result,
    Scan,
    Spectrum,
    Stamp,
    Stored,
    Tick,
    Trigger,
)


class Core:
    """Normalises and judges. Holds only what it was told: books per device, standing alarms."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._ids = setting.ids
        self._proof = Proof()
        self.alarms = AlarmPoints(with_proof(setting.limits), setting.ids, setting.rules_digest, setting.shelve_most)
        self._books = {name: DeviceBook(name, driver) for name, driver in setting.devices.items()}
        self._feeds: dict[tuple[str, str], list[Feed]] = {}
        self._judged: dict[tuple[str, str], Judged] = {}
        self._memories = Memories()
        self._exposures = Exposures(setting.ids)
        self._screenings = Screenings(self.alarms, setting.ids)
        self._screenings.revise(setting.mobility, self._books)
        self._learn(setting)
        self._shadow = Shadow(setting.ids)
        self._shadow.revise(setting.devices, setting.shadow)

    def revise(self, setting: Setting, restarted: Collection[str], now: Stamp) -> list[Message]:
        """Go by another setting from now on; what ends with the old one, and the births of what is new.

        `restarted`: devices that stay and begin anew. They and those that are gone have been told to be away, and
        all that they said was given.
        """
        old, books = self._setting, self._books
        gone = [name for name in books if name not in setting.devices]
        ended = [message for name in gone for message in books[name].finish(now, self._ids)]
        fresh = [name for name in setting.devices if name not in books or name in restarted]
        self._books = books = {
            name: DeviceBook(name, driver, books.get(name)) if name in fresh else books[name]
            for name, driver in setting.devices.items()
        }
        self._setting = setting
        ended += self._screenings.revise(setting.mobility, books, now)
        self._learn(setting)
        self.alarms.desk.shelve_most = setting.shelve_most
        lost = {name for name, driver in old.devices.items() if _driver(setting, name) != driver.name}
        ended += self.alarms.revise(with_proof(setting.limits), setting.rules_digest, lost, now)
        ended += self._shadow.revise(setting.devices, setting.shadow, now)
        return ended + [message for name in fresh for message in books[name].births(now, self._ids)]

    def _learn(self, setting: Setting) -> None:
        """Which limits each channel has."""
        self._feeds = feeds(with_proof(setting.limits))
        self._judged = judged_by(setting.devices, setting.limits, setting.thermal)
        for name in setting.devices:
            self._books[name].screen.watch.revise([rule for rule in setting.thermal if rule.device == name])

    def births(self, now: Stamp) -> list[Message]:
        """Descriptions and first states of all devices, before anything was heard of them."""
        return [message for book in self._books.values() for message in book.births(now, self._ids)]

    def resume(self, standing: Sequence[StandingAlarm], now: Stamp) -> list[Message]:
        """Take over the alarms of the last run; gives the ends of those that nothing can end any more."""
        told = [message for old in standing for message in self.alarms.resume(old, self._books, now)]
        found = (old for old in standing if old.data.condition is Condition.DETECTION)
        return told + [message for old in found for message in self._screenings.over(old.device, old.point, now)]

    def remember(self, taken: Iterable[Taken]) -> None:
        """What earlier runs told of the memories of devices."""
        self._memories.resume(taken)

    def step(self, inputs: Sequence[Input]) -> Outcome:
        """Take inputs in order of arrival; give messages in the order they are to be sent."""
        outcome, start = Outcome(), 0
        for place, item in enumerate(inputs, 1):
            if isinstance(item, Change):  # alarms of a device that goes away are judged by all that it said before
                self._run(inputs[start:place], outcome)
                outcome.messages += self.alarms.on_change(item)
                start = place
        self._run(inputs[start:], outcome)
        outcome.messages += self._shadow.step(inputs)
        return outcome

    def _run(self, inputs: Sequence[Input], outcome: Outcome) -> None:
        part, numbers = Outcome(captures=outcome.captures), Numbers()
        batches: dict[tuple[str, float], list[int]] = {}
        for item in inputs:
            if isinstance(item, Reading):
                self._reading(item, part, numbers, batches)
            else:
                part.messages += self._notice(item)
                if isinstance(item, Tick):
                    self._proof.put(numbers, self._feeds[KEY], item.at)
        part.messages += self._screenings.settle()
        outcome.messages += joined(part.messages, batches) if batches else part.messages
        outcome.messages += (edges := judge(self.alarms, numbers, self._proof))
        self._exposures.note(edges)
        for message, image in self._exposures.settle(self._books):
            outcome.messages.append(message)
            outcome.exposed[message.id] = image
        outcome.proven = self._proof.at

    def operate(self, act: Act, now: Stamp) -> Outcome:
        """A person's act on an alarm point, or why it is refused. A command that comes twice is done once."""
        outcome = Outcome(self.alarms.tick(now))
        try:
            outcome.messages += self.alarms.operate(act, now)
        except RefusedActError as error:
            outcome.refused = str(error)
        self._exposures.note(outcome.messages)
        return outcome

    def tick(self, now: Stamp) -> list[Message]:
        """Once a second: latest values, error counts, what went stale by silence, what time brings to alarms."""
        told = [message for book in self._books.values() for message in book.tick(now, self._ids)]
        passed = lapse(self.alarms, now) + self.alarms.tick(now)
        self._exposures.note(passed)
        return told + passed + self._shadow.tick(now)

    def count(self) -> dict[str, DeviceCount]:
        """How it stands with each device, in numbers."""
        return {name: _count(book) for name, book in self._books.items()}

    def finish(self, now: Stamp) -> list[Message]:
        """The hub stops, and everything was given: what is to be said yet of what is missing."""
        told = [message for book in self._books.values() for message in book.finish(now, self._ids)]
        return self._screenings.finish(now) + told

    def _notice(self, item: Fault | Change | Dropped | Tick) -> list[Message]:
        if isinstance(item, Tick):
            told = [message for book in self._books.values() for message in book.missing(item.at, self._ids)]
            return told + self._screenings.tick(item.at)
        book = self._books[item.device]
        if isinstance(item, Change):
            return self._screenings.on_change(item) + book.change(item, self._ids)
        return book.refused(item, self._ids)

    def _reading(
        self, reading: Reading, outcome: Outcome, numbers: Numbers, batches: dict[tuple[str, float], list[int]]
    ) -> None:
        book = self._books[reading.device]
        outcome.messages += book.heard(reading.at, self._ids)
        sample = reading.sample
        if isinstance(sample, Measurement):
            places = batches.setdefault((reading.device, reading.at.mono), []) if self._setting.batch_readings else []
            joined = outcome.messages[places[0]].id if places else ""
            places.append(len(outcome.messages))
            self._measurement(reading, sample, outcome, numbers, joined)
        elif isinstance(sample, Image):
            self._image(reading, sample, outcome, numbers)
        elif isinstance(sample, Trigger):
            self._trigger(reading, sample, outcome)
        elif isinstance(sample, Stored):
            outcome.messages += self._memories.tell(reading, sample, book.serial, self._judged, self._ids)
        else:
            outcome.messages += self._other(reading, sample, book)

    def _measurement(self, reading: Reading, raw: Measurement, outcome: Outcome, numbers: Numbers, joined: str) -> None:
        """`joined`: id of the message that will carry this reading; empty for its own."""
        judged = self._judged[reading.device, raw.channel]
        measurement = checked(raw, judged.channel)
        self._books[reading.device].latest(measurement)
        data = reading_data(measurement, judged, named=self._setting.batch_readings)
        message = self._message(Kind.READING, "reading", reading, data, raw.channel)
        outcome.messages.append(message)
        self._judge(reading, measurement, joined or message.id, numbers)

    def _judge(self, reading: Reading, measurement: Measurement, message: str, numbers: Numbers) -> None:
        key = (reading.device, measurement.channel)
        if places := self._feeds.get(key):
            cause = Cause(reading.at, message, measurement.quality, self._judged[key].channel.unit)
            numbers.take(places, measurement, cause)

    def _image(self, reading: Reading, image: Image, outcome: Outcome, numbers: Numbers) -> None:
        screen = self._books[reading.device].screen
        data, found = screen.show(image, self._judged[reading.device, image.channel].channel, reading.at)
        outcome.messages.append(message := self._message(Kind.FRAME, "frame", reading, data))
        self._exposures.show(message.id, image, reading.at)
        for measurement in found:
            self._judge(reading, measurement, message.id, numbers)
        if trigger := screen.due():
            self._capture(reading, image, trigger, outcome)

    def _capture(self, reading: Reading, image: Image, trigger: str, outcome: Outcome) -> None:
        outcome.captures.append(image)
        outcome.messages.append(self._message(Kind.CAPTURE, "capture", reading, capture_data(image, trigger)))

    def _trigger(self, reading: Reading, trigger: Trigger, outcome: Outcome) -> None:
        data = DeviceEventData(reading.device, "trigger", trigger.note, trigger.name)
        outcome.messages.append(self._message(Kind.EVENT, "device.trigger", reading, data))
        image = self._books[reading.device].screen.pull(trigger.name)
        if image is not None:
            self._capture(reading, image, trigger.name, outcome)

    def _other(
        self,
        reading: Reading,
        sample: Spectrum | Scan | Capability | Identity | DeviceAlarm | Result,
        book: DeviceBook,
    ) -> list[Message]:
        match sample:
            case Spectrum():
                channel = self._judged[reading.device, sample.channel].channel
                data = spectrum_data(sample, channel)
                message = self._message(Kind.READING, "spectrum", reading, data, sample.channel)
                return [message, *self._screenings.on_spectrum(reading, sample, message.id)]
            case Scan():
                return self._scan(reading, sample)
            case Capability():
                return book.capability([sample], reading.at, self._ids)
            case Identity():
                return book.identity(sample.facts, reading.at, self._ids)
            case DeviceAlarm():
                self._exposures.note(told := self.alarms.on_device(reading, sample))
                return told
            case Result():
                message = self._message(Kind.RESULT, "result", reading, device_result(sample))
                return [message, *self._screenings.on_result(reading, sample, message.id)]

    def _scan(self, reading: Reading, scan: Scan) -> list[Message]:
        data, hits, rules = judged(scan, self._setting.scans)
        told = [] if data is None else [self._message(Kind.SCAN, "scan", reading, data)]
        message = told[0].id if told else ""
        return told + [one for hit in hits for one in self.alarms.on_device(reading, hit, message, rules)]

    def _message(self, kind: Kind, word: str, reading: Reading, data: AnyPayload, point: str = "") -> Message:
        return Message(
            kind=kind,
            type=word,
            id=self._ids(),
            time=reading.at.utc,
            mono=reading.at.mono,
            data=data,
            device=reading.device,
            point=point,
        )


def _count(book: DeviceBook) -> DeviceCount:
    heard, history = book.last_heard if isfinite(book.last_heard) else None, book.history
    return DeviceCount(book.state, history.said, dict(history.errors), history.losses, heard)


def _driver(setting: Setting, device: str) -> str:
    driver = setting.devices.get(device)
    return "" if driver is None else driver.name
