"""The `data` of screenings. Part of `model/payload.py`."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from devicehub.model.payload_stored import Historical, StoredData
from devicehub.model.payload_texts import Digest
from devicehub.model.reading import Cause, Outcome
from devicehub.model.units import Unit


class Source(StrEnum):
    """Whose verdict a result is. Both are published, each as a message of its own, and neither changes the other."""

    DEVICE = "device"
    HUB = "hub"


class PeakData(Struct, frozen=True, omit_defaults=True):
    """One peak of a screening. What stands below `confidence` is said by the hub's own verdict only."""

    name: Annotated[str, Meta(description="The ion, of a substance or of what is harmless; empty: unknown")]
    position: float
    unit: Unit
    amplitude: float
    confidence: Annotated[
        float | None,
        Meta(description="Of the hub: 1 in the middle of its window, 0 at its edge; no probability"),
    ] = None
    substance: Annotated[str, Meta(description="What it speaks for; empty: nothing in the library")] = ""
    group: str = ""
    mode: Annotated[str, Meta(description="Polarity, as negative or positive")] = ""
    finding: Annotated[
        str,
        Meta(
            description="alarm, carried-over, excluded, brief (in too few scans in a row), partial (a rule half met), "
            "or unmatched: a strong peak that no substance explains"
        ),
    ] = ""
    snr: float | None = None
    scans: Annotated[int, Meta(description="In so many scans; for a substance, in a row")] = 0
    broad: Annotated[bool, Meta(description="Wider than one ion's peak can be")] = False
    interferents: Annotated[tuple[str, ...], Meta(description="Harmless things that are known to look like it")] = ()


class IdentifiedData(Struct, frozen=True, omit_defaults=True):
    """What a screening names without a peak to show for it: a nuclide, a substance, an object."""

    name: str
    confidence: Annotated[float | None, Meta(description="0 to 1, as the device says")] = None
    group: Annotated[str, Meta(description="What it belongs to, as the device words it")] = ""


class ModeData(Struct, frozen=True, omit_defaults=True):
    """One polarity of a run."""

    mode: str
    outcome: Outcome
    scans: int
    calibrated: Annotated[int, Meta(description="Scans with a valid calibrant")]
    causes: tuple[Cause, ...] = ()
    calibrant_ms: Annotated[float | None, Meta(description="Mean drift time of the calibrant")] = None


class ResultData(Struct, frozen=True, omit_defaults=True):
    """One finished screening. Clear runs are published too.

    Of a run that the hub judges itself there are two: what the device says (`source` left out) and what the hub
    says, with the same `sample_id`. Without a valid calibrant the hub says inconclusive, never clear.
    """

    outcome: Outcome
    sample_id: str = ""
    duration_s: float | None = None
    peaks: tuple[PeakData, ...] = ()
    cause: Annotated[Cause, Meta(description="Why it is no better; the gravest where there are several")] = Cause.NONE
    source: Source = Source.DEVICE
    causes: Annotated[tuple[Cause, ...], Meta(description="All of them")] = ()
    modes: tuple[ModeData, ...] = ()
    scans: Annotated[int | None, Meta(description="Scans that arrived, of a run that the hub judged")] = None
    sent: Annotated[int | None, Meta(description="Scans that the device says it sent")] = None
    library: Annotated[str, Meta(description="Name and version of the substance library")] = ""
    library_digest: Digest | None = None
    identified: tuple[IdentifiedData, ...] = ()
    note: Annotated[str, Meta(description="In the words of whoever screened")] = ""
    operator: Annotated[str, Meta(description="Who entered it; empty: an instrument's own word")] = ""
    defects: Annotated[
        tuple[str, ...], Meta(description="What is wrong with the file that it stands in; nothing was repaired")
    ] = ()
    device_time: Annotated[float | None, Meta(description="When it was, by the device's clock, in s since 1970")] = None
    historical: Historical = False
    stored: StoredData | None = None
