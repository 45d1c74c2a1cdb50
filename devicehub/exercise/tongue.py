"""The words of the page, for what is told of an exercise outside it: one home for each word in each language."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from devicehub.exercise.schema import Expect, Language, seconds

_WORDS: Final = Path(__file__).parents[1] / "web" / "static" / "words"


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language."""

    language: Language
    words: dict[str, str | dict[str, str]] = field(repr=False)

    def t(self, key: str, **given: str) -> str:
        """The words of a key, with `{name}` replaced. Raises `KeyError`."""
        return str(self.words[key]).format_map(given)

    def expected(self, expect: Expect) -> str:
        """An expectation in a line."""
        time = self._time(expect.within)
        if expect.quiet:
            return self.t("expect.quiet", time=time)
        if expect.event:
            return self.t("expect.event", what=expect.event, time=time)
        if expect.command:
            return self.t("expect.command", what=expect.command, time=time)
        if expect.lane:
            return self.t("expect.lane", what=", ".join(self.t(f"lane.{one}") for one in expect.lane), time=time)
        parts = [self.t("expect.alarm", what=expect.alarm, time=time)]
        if expect.ack_within is not None:
            parts.append(self.t("expect.ack", time=self._time(expect.ack_within)))
        if expect.disposition:
            parts.append(self.t("expect.closed", what=", ".join(map(self.disposition, expect.disposition))))
        return "; ".join(parts)

    def disposition(self, code: str) -> str:
        """What an alarm was closed as; a code that the page has no words for as it is."""
        return self.t(f"disposition.{code}") if f"disposition.{code}" in self.words else code

    def _time(self, duration: str) -> str:
        return self.t("seconds", n=f"{seconds(duration):g}")


def tongue(language: Language) -> Tongue:
    """Reads the words of a language."""
    text = (_WORDS / f"{language}.json").read_text(encoding="utf-8")
    return Tongue(language, cast(dict[str, str | dict[str, str]], json.loads(text)))
