"""Inputs of all devices to messages: normalise, judge, describe. Pure; time comes with the inputs."""

from devicehub.core.alarms import StandingAlarm
from devicehub.core.hub import Core, Outcome, Setting
from devicehub.core.station import Station

__all__ = ["Core", "Outcome", "Setting", "StandingAlarm", "Station"]
