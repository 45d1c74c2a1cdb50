"""Radionuclide identifiers and other radiation instruments by their ANSI/IEEE N42.42 files, in a watch folder.

Both generations are read: 2006 (`N42InstrumentData`) and 2011/2012 (`RadInstrumentData`); see `_n42_file`. The XML
may have no document type, so it has no entities of its own and nothing external (`devicehub.wire.xml`).

What real exports get wrong is read as far as it can be, told in `defects` of the spectrum and of the result, and
repaired nowhere: a zone without its colon; a live time longer than the real time (quality uncertain, cause
inconsistent); a confidence that is not 0 to 1 (none is told then); no time zone (no device time); Latin-1 in a file
that does not say so. A spectrum that cannot be read is a fault and the rest of its file counts.

An analysis that names a nuclide, or that holds an alarm, is an `alarm`: which nuclides are harmless is not for a driver
to say. The instrument may say it: a nuclide whose category it gives as NORM (naturally occurring radioactive material,
as the potassium of fertiliser) is named in the result and raises nothing by itself. A K-40 without that word is an
alarm as any other. An analysis that looked for nuclides and names no other is `clear`; one that failed, that says
nothing of nuclides, or that holds one without a name, is `inconclusive`. A file without an analysis gives no result.

What is too much to be told is not lost: of nuclides the natural ones give way, and a defect says how many there are.

Source: see `_n42_file`.
"""

from devicehub.driver import Driver, FileLink, Options
from devicehub.model.device import Category, Channel, ChannelKind
from devicehub.model.units import Unit
from devicehub.wire.folder import FolderProtocol
from devicehub.wire.protocol import DeviceProtocol
from drivers.radiation._n42_file import MOST_BYTES, read_n42


def protocol(options: Options) -> DeviceProtocol:
    """A fresh reader of files."""
    del options
    return FolderProtocol(read_n42, MOST_BYTES)


DRIVER = Driver(
    title="Radiation instrument, ANSI/IEEE N42.42 files",
    category=Category.RADIATION,
    link=FileLink(patterns=("*.n42", "*.xml"), limit=MOST_BYTES),
    channels=(
        Channel(name="gamma", title="Gamma spectrum", unit=Unit.COUNT, kind=ChannelKind.SPECTRUM, low=0),
        Channel(name="dose-rate", title="Dose rate", unit=Unit.MICROSIEVERT_PER_HOUR, low=0),
        Channel(name="gamma-counts", title="Gamma counts of a measurement", unit=Unit.COUNT, low=0),
        Channel(name="neutron-counts", title="Neutron counts of a measurement", unit=Unit.COUNT, low=0),
    ),
    capabilities=("radiation",),
    protocol=protocol,
    stale_after=600.0,
)
