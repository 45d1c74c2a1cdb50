"""Images on which alarms came: of each new alarm of a camera the frame that raised it, as evidence. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from devicehub.core.frames import capture_data
from devicehub.core.register import RAISED
from devicehub.core.state import DeviceBook
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData
from devicehub.model.reading import Image, Stamp

TRIGGER: Final = "alarm"

Frame = tuple[Image, Stamp]


class Exposures:
    """The frames of one step, and new alarms that have no image yet.

    An alarm that comes once more while it stands gets no second image: how many there are is up to those who close
    alarms, and not to a value that goes up and down at its limit.
    """

    def __init__(self, ids: Callable[[], str]) -> None:
        self._ids = ids
        self._frames: dict[str, Frame] = {}
        self._due: list[Message] = []

    def show(self, message: str, image: Image, at: Stamp) -> None:
        """An image was told of in the message of that id."""
        self._frames[message] = image, at

    def note(self, messages: Iterable[Message]) -> None:
        """What was said of alarm points, here or since the last step."""
        self._due += filter(_is_new, messages)

    def settle(self, books: Mapping[str, DeviceBook]) -> list[tuple[Message, Image]]:
        """The image of each new alarm, and the message that tells of it.

        It is the frame that the alarm names as its cause. Where that is none of this step, as the alarm had a delay or
        the device itself raised it, it is the one on the screen.
        """
        found = [(alarm, self._frames.get(alarm.causation) or _on_screen(books, alarm)) for alarm in self._due]
        self._due.clear()
        self._frames.clear()
        return [self._exposed(alarm, frame) for alarm, frame in found if frame is not None]

    def _exposed(self, alarm: Message, frame: Frame) -> tuple[Message, Image]:
        image, at = frame
        message = Message(
            kind=Kind.CAPTURE,
            type="capture",
            id=self._ids(),
            time=at.utc,
            mono=at.mono,
            data=capture_data(image, TRIGGER, alarm.correlation),
            device=alarm.device,
            causation=alarm.id,
            correlation=alarm.correlation,
        )
        return message, image


def _is_new(message: Message) -> bool:
    data = message.data
    return (
        message.kind is Kind.EVENT and message.type == RAISED and isinstance(data, AlarmData) and data.activations == 1
    )


def _on_screen(books: Mapping[str, DeviceBook], alarm: Message) -> Frame | None:
    book = books.get(alarm.device)
    return None if book is None else book.screen.shown
