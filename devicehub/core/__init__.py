"""Inputs of all devices to messages: normalise, judge, describe. Pure; time comes with the inputs."""

from devicehub.core.alarms import StandingAlarm
from devicehub.core.hub import Core
from devicehub.core.setting import Outcome, Setting
from devicehub.core.station import Station

__all__ = ["Core", "Outcome", "Setting", "StandingAlarm", "Station"]
