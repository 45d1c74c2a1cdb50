"""What one finished screening found, as an alarm."""

from devicehub.model.reading import DeviceAlarm
from devicehub.model.segment import segment


def finding(kind: str, name: str, text: str, value: float | None = None) -> tuple[DeviceAlarm, DeviceAlarm]:
    """The alarm `kind-name`, raised and its condition ended at once.

    What was found was found in this one screening: the condition ends with it, the alarm stays until somebody has
    acknowledged and confirmed it. So the next one that finds the same is another activation, and not passed over.
    """
    point = segment(f"{kind} {name}".strip().lower().replace(" ", "-"))
    return DeviceAlarm(point, active=True, text=text, value=value), DeviceAlarm(
        point, active=False, text=text, value=value
    )
