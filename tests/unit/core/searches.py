"""A station with one desk, for tests of inspections."""

from collections.abc import Sequence
from itertools import count

from devicehub.core import Setting
from devicehub.core.scans import Publish, ScanPolicy
from devicehub.model.inspection import InspectionDesk
from devicehub.model.message import Kind
from devicehub.model.payload import (
    InspectionData,
)
from devicehub.model.reading import (
    Input,
    Quality,
    Scan,
)
from tests.unit.core.bench import HIGH, at, driver, ids, said
from tests.unit.core.stations import StationBench

TD3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
OTHER = "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<"
DESK = InspectionDesk("desk-1", ("dev",), 60.0, scans=("document",), buttons=("sample",))
CARRIED = {Kind.READING, Kind.RESULT, Kind.FRAME, Kind.CAPTURE, Kind.SCAN, Kind.EVENT, Kind.ALARM, Kind.GAP}


def document(text: str = TD3, mono: float = 1.0, quality: Quality = Quality.GOOD) -> Input:
    return said(Scan("barcode", "]Q0", text.encode(), quality), mono)


class Search(StationBench):
    """A station with one desk, and another device that belongs to none; all that it says."""

    def __init__(self, publish: Publish = Publish.HASH, desks: Sequence[InspectionDesk] = (DESK,)) -> None:
        setting = Setting(
            devices={"dev": driver(), "aside": driver()},
            limits=[HIGH],
            scans=ScanPolicy(publish, b"key"),
            desks=desks,
            ids=ids(),
        )
        super().__init__(setting)
        self.commands = count(1)

    def open(self, mono: float, desk: str = "", reference: str = "") -> str:
        outcome = self.station.open_inspection(desk, reference, "op-1", f"c-{next(self.commands)}", at(mono))
        self.hear(outcome.messages)
        return outcome.refused

    def close(self, mono: float, desk: str = "", inspection: str = "") -> str:
        outcome = self.station.close_inspection(desk, inspection, "op-1", "done", at(mono))
        self.hear(outcome.messages)
        return outcome.refused

    def act(self, what: str, mono: float) -> None:
        match what:
            case "open":
                self.open(mono)
            case "close":
                self.close(mono)
            case _:
                self.tick(mono)

    def events(self, word: str) -> list[InspectionData]:
        found = [one.data for one in self.said if one.type == f"inspection.{word}" and one.kind is Kind.EVENT]
        return [data for data in found if isinstance(data, InspectionData)]

    @property
    def ended(self) -> InspectionData:
        return self.events("ended")[-1]
