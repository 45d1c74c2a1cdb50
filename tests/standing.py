"""An alarm as it stands, that tests change as they need it."""

from devicehub.model.alarm import AlarmCategory, AlarmState, Condition, Priority
from devicehub.model.payload import AlarmData, TextData

ALARM = AlarmData(
    alarm="01K9XQ5ZJ4M8Q0Z3T7V1B2C3D4",
    revision=1,
    state=AlarmState.UNACK_ACTIVE,
    priority=Priority.HIGH,
    category=AlarmCategory.THREAT,
    condition=Condition.HIGH,
    message=TextData("alarm.limit", {}),
    raised="2026-11-24T09:14:07.412Z",
    rules_digest="sha256:" + "0" * 64,
)
