"""The workstation's own voice: alarms that nobody has acknowledged are heard, whether or not a page is open."""

from devicehub.sound.sounder import Sounder, Sounding

__all__ = ["Sounder", "Sounding"]
