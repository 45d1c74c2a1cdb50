"""UCUM unit codes that may appear on the wire. One constant table; a new unit is a new line here.

Source of the codes: The Unified Code for Units of Measure, https://ucum.org.
"""

from enum import StrEnum


class Unit(StrEnum):
    """A UCUM code. The member name is for code, the value is what is published."""

    CELSIUS = "Cel"
    KELVIN = "K"
    MILLIKELVIN = "mK"
    HECTOPASCAL = "hPa"
    NANOGRAM = "ng"
    PICOGRAM = "pg"
    NANOGRAM_PER_CM2 = "ng/cm2"
    PPB = "[ppb]"
    PPM = "[ppm]"
    PERCENT = "%"
    ONE = "1"
    PER_SECOND = "/s"
    PER_MINUTE = "/min"
    MICROSIEVERT_PER_HOUR = "uSv/h"
    MICROSIEVERT = "uSv"
    MILLISIEVERT = "mSv"
    HERTZ = "Hz"
    DECIBEL = "dB"
    GRAM_PER_CM2 = "g/cm2"
    SECOND = "s"
    HOUR = "h"
    MILLISECOND = "ms"
    MICROSECOND = "us"
    METRE = "m"
    VOLT = "V"
    PICOAMPERE = "pA"
    KILOELECTRONVOLT = "keV"
    PER_CENTIMETRE = "/cm"
    NANOMETRE = "nm"
    REDUCED_MOBILITY = "cm2/(V.s)"
    BYTE = "By"
    COUNT = "{count}"
    PIXEL = "{pixel}"
    SWAB = "{swab}"
    ARBITRARY = "[arb'U]"
