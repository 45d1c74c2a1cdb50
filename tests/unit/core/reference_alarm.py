"""The life of one alarm point once more, slow and scalar: a plain table of flags, a list of timers, one `if` per rule.

It shares no code with the product beyond the vocabulary, and knows nothing of messages, revisions or restarts.
"""

from dataclasses import dataclass, field
from math import isnan

from devicehub.model.alarm import Shelf, Verb

HIGH, LOW = 10.0, 8.0
LONGEST = 28_800


@dataclass
class ReferenceAlarm:
    """A HIGH limit of 10 with hysteresis 2. `managed`: a detection. Times are whole seconds."""

    managed: bool
    latch: bool = False
    on_delay: int = 0
    off_delay: int = 0
    realarm: int = 0
    now: int = 0
    beyond: bool = False
    enabled: bool = True
    active: bool = False
    acked: bool = True
    confirmed: bool = True
    latched: bool = False
    shelf: Shelf = Shelf.NONE
    suppressed: bool = False
    out_of_service: bool = False
    silenced: bool = False
    timers: list[tuple[int, str]] = field(default_factory=list)

    @property
    def flags(self) -> tuple[object, ...]:
        """All flags in the order of the standard's table."""
        head = (self.enabled, self.active, self.acked, self.confirmed, self.latched)
        return (*head, self.shelf, self.suppressed, self.out_of_service, self.silenced)

    @property
    def stands(self) -> bool:
        return self.active or self.latched or not self.acked or not self.confirmed

    def set(self, what: str, seconds: int) -> None:
        self.drop(what)
        self.timers.append((self.now + seconds, what))

    def drop(self, *what: str) -> bool:
        before = len(self.timers)
        self.timers = [timer for timer in self.timers if timer[1] not in what]
        return len(self.timers) < before

    def second(self) -> None:
        """One second passes; timers fire in the order of their times, and of their setting."""
        self.now += 1
        while due := [timer for timer in self.timers if timer[0] <= self.now]:
            first = min(due, key=lambda timer: timer[0])
            self.timers.remove(first)
            self.fire(first[1])

    def fire(self, what: str) -> None:
        if what == "on":
            self.come()
        elif what == "off":
            self.go()
        elif what == "shelf":
            self.shelf = Shelf.NONE
        elif what == "silence":
            self.silenced = False
        elif what == "realarm":
            self.set("realarm", self.realarm)
            aside = self.suppressed or self.out_of_service or self.shelf is not Shelf.NONE
            if not aside:
                self.announce()
        self.tidy()

    def value(self, number: float, *, good: bool = True) -> None:
        """A value of the channel."""
        if isnan(number):
            return
        if not self.beyond and number > HIGH:
            self.beyond = True
            if self.drop("off"):
                return
            if self.on_delay:
                self.set("on", self.on_delay)
            else:
                self.come()
        elif self.beyond and good and number <= LOW:
            self.beyond = False
            if self.drop("on"):
                return
            if self.off_delay:
                self.set("off", self.off_delay)
            else:
                self.go()

    def come(self) -> None:
        if self.enabled:
            self.active = True
            if self.realarm:
                self.set("realarm", self.realarm)
            self.announce()

    def announce(self) -> None:
        self.acked, self.confirmed, self.silenced = False, True, False
        self.latched = self.managed or self.latch
        self.drop("silence")

    def go(self) -> None:
        if not self.active:
            return
        self.active = False
        self.drop("realarm")
        if self.shelf is Shelf.ONE_SHOT:
            self.shelf = Shelf.NONE
            self.drop("shelf")
        self.tidy()

    def tidy(self) -> None:
        if not self.stands and self.silenced:
            self.silenced = False
            self.drop("silence")

    def do(self, verb: Verb, seconds: int = 60, *, one_shot: bool = False) -> bool:
        """An act with everything that it needs; gives whether it is allowed."""
        allowed = self.allowed(verb)
        if allowed:
            self.change(verb, seconds, one_shot=one_shot)
            self.tidy()
        return allowed

    def allowed(self, verb: Verb) -> bool:
        rules = {
            Verb.ACK: self.stands and not self.acked,
            Verb.CONFIRM: self.managed and self.stands and self.acked and not self.confirmed,
            Verb.RESET: not self.managed and self.latched and not self.active and self.acked,
            Verb.SHELVE: not self.managed and self.shelf is Shelf.NONE,
            Verb.UNSHELVE: self.shelf is not Shelf.NONE,
            Verb.SILENCE: self.stands and not self.silenced,
            Verb.SUPPRESS: not self.managed and not self.suppressed,
            Verb.UNSUPPRESS: self.suppressed,
            Verb.OUT_OF_SERVICE: not self.out_of_service and not (self.managed and self.stands),
            Verb.IN_SERVICE: self.out_of_service,
            Verb.DISABLE: self.enabled and not self.stands,
            Verb.ENABLE: not self.enabled,
            Verb.COMMENT: self.told,
        }
        return rules[verb]

    @property
    def told(self) -> bool:
        aside = self.suppressed or self.out_of_service or not self.enabled or self.shelf is not Shelf.NONE
        return self.stands or aside

    def change(self, verb: Verb, seconds: int, *, one_shot: bool) -> None:
        if verb is Verb.ACK:
            self.acked, self.confirmed = True, not self.managed
        elif verb is Verb.CONFIRM:
            self.confirmed, self.latched = True, False
        elif verb is Verb.RESET:
            self.latched = False
        elif verb is Verb.SHELVE:
            self.shelf = Shelf.ONE_SHOT if one_shot else Shelf.TIMED
            self.set("shelf", LONGEST if one_shot else seconds)
        elif verb is Verb.UNSHELVE:
            self.shelf = Shelf.NONE
            self.drop("shelf")
        elif verb is Verb.SILENCE:
            self.silenced = True
            self.set("silence", seconds)
        else:
            self.put(verb)

    def put(self, verb: Verb) -> None:
        if verb in {Verb.SUPPRESS, Verb.UNSUPPRESS}:
            self.suppressed = verb is Verb.SUPPRESS
        elif verb in {Verb.OUT_OF_SERVICE, Verb.IN_SERVICE}:
            self.out_of_service = verb is Verb.OUT_OF_SERVICE
        elif verb in {Verb.DISABLE, Verb.ENABLE}:
            self.enabled = verb is Verb.ENABLE
            if self.enabled and self.beyond and not any(what == "on" for _, what in self.timers):
                self.come()
