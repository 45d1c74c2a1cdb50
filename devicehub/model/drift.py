"""What is known of a drift tube. A field of a plasmagram's spectrum; part of `model/reading.py`."""

from msgspec import Struct


class Drift(Struct, frozen=True):
    """What an ion-mobility instrument says of its drift tube at a scan.

    Drift length, the voltage over it, the gas, and the calibrant of that polarity with its K0 in cm2/(V.s).
    """

    length_cm: float
    voltage: float
    kelvin: float
    hectopascal: float
    calibrant: str
    calibrant_k0: float
