"""What a device's screen shows: its frames counted and judged, its last image, and captures that wait for one."""

from devicehub.alarm.thermal.watch import Watch
from devicehub.core.frames import frame_data, statistic_measurements
from devicehub.model.device import Channel
from devicehub.model.payload import FrameData
from devicehub.model.reading import Image, Measurement, Shutter, Stamp


class Screen:
    """The images of one open link. `every`: each one is a capture (a device that leaves files).

    `shown`: the last image, and when it came.
    """

    def __init__(self, *, every: bool) -> None:
        self.watch = Watch()
        self._every = every
        self._frames = 0
        self._shutter_at: float | None = None
        self.shown: tuple[Image, Stamp] | None = None
        self._waiting = ""

    def clear(self) -> None:
        """The link ended: what it showed is no longer what anybody sees."""
        self.shown, self._waiting, self._shutter_at = None, "", None
        self.watch.clear()

    def show(self, image: Image, channel: Channel, at: Stamp) -> tuple[FrameData, list[Measurement]]:
        """Count a frame and remember it. Gives what is told of it, and the numbers that limits are held against."""
        self._frames += 1
        self.shown = image, at
        if image.shutter is Shutter.CLOSED:
            self._shutter_at = at.mono
        looked = self.watch.look(image)
        age = None if self._shutter_at is None else at.mono - self._shutter_at
        frame = frame_data(image, channel, self._frames, age, looked)
        return frame, statistic_measurements(image, frame) + looked.measurements

    def due(self) -> str:
        """What triggers the capture of the image just shown, or nothing."""
        waiting, self._waiting = self._waiting, ""
        return "file" if self._every else waiting

    def pull(self, trigger: str) -> Image | None:
        """The image on the screen when the trigger was pulled; without one, the next is captured."""
        if self.shown is None:
            self._waiting = trigger
            return None
        return self.shown[0]
