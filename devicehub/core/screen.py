"""What a device's screen shows: its frames counted, its last image, and captures that wait for one."""

from devicehub.model.reading import Image, Shutter


class Screen:
    """The images of one open link. `every`: each one is a capture (a device that leaves files)."""

    def __init__(self, *, every: bool) -> None:
        self._every = every
        self._frames = 0
        self._shutter_at: float | None = None
        self._image: Image | None = None
        self._waiting = ""

    def clear(self) -> None:
        """The link ended: what it showed is no longer what anybody sees."""
        self._image, self._waiting, self._shutter_at = None, "", None

    def show(self, image: Image, mono: float) -> tuple[int, float | None]:
        """Count a frame and remember it. Gives its number and the age of the last shutter closure in seconds."""
        self._frames += 1
        self._image = image
        if image.shutter is Shutter.CLOSED:
            self._shutter_at = mono
        return self._frames, None if self._shutter_at is None else mono - self._shutter_at

    def due(self) -> str:
        """What triggers the capture of the image just shown, or nothing."""
        waiting, self._waiting = self._waiting, ""
        return "file" if self._every else waiting

    def pull(self, trigger: str) -> Image | None:
        """The image on the screen when the trigger was pulled; without one, the next is captured."""
        if self._image is None:
            self._waiting = trigger
        return self._image
