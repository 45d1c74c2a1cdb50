"""How each section of the detector and scanner vectors is proved on the delivered driver. See `test_vectors`."""

import struct
from random import Random
from typing import Any, cast

import pytest

from devicehub.core.scans import Publish, ScanPolicy, scan_data
from devicehub.model.reading import Cause, Scan
from devicehub.registry import load_simulator
from devicehub.simulator import UsbSimulator
from drivers.scanner._ssi_requests import encode
from simulators.radiation import radiacode as instrument
from simulators.radiation.radiacode import RadiaCodeSim
from simulators.scanner import zebra_ssi as scanner
from simulators.trace.aci_pids3 import AciPids3
from tests.real.published_vectors import Vectors

_NOTIFY = "70bc767e-7a1a-4304-81ed-14b9af54f7bd"
_ANSWER = "e63215e7-7003-49d8-96b0-b024798fb901"


def radiacode(vectors: Vectors) -> None:
    """The published requests are sent; the published answer to the second gives its values."""
    exchange, data_buf, record = vectors.names()
    assert "5.25 cps" in record
    player, device = vectors.player("radiation.radiacode"), RadiaCodeSim(Random(1))
    vectors.makes(b"".join(player.sent()), exchange)
    question = player.written[-1]
    while question.data != vectors.data(data_buf):
        for port, answer in device.on_write(question.port, question.data):
            player.give(answer, port)
        assert len(player.written) < 6
        question = player.written[-1]
    vectors.makes(question.data, data_buf)
    now = instrument.record(
        1, 0, -100, instrument.real_time(5.25, struct.unpack("<f", bytes.fromhex("a48c3837"))[0], (153, 160))
    )
    vectors.makes(instrument.whole(question.data[4:8] + instrument.string(now)), record)
    player.give(vectors.data(record), _ANSWER)
    assert player.faults == []
    rate, dose = player.value("count-rate"), player.value("dose-rate")
    assert (rate.value, dose.value) == pytest.approx((5.25, 0.11), rel=1e-6)
    assert (rate.uncertainty, dose.uncertainty) == pytest.approx((5.25 * 0.153, 0.11 * 0.160), rel=1e-6)


def aci_pids3(vectors: Vectors) -> None:
    """The published command and sums are what the driver sends to a module that does not answer."""
    player = vectors.player("trace.aci_pids3")
    for _ in range(12):
        player.wait()
    (asked,) = {frame for frame in player.sent() if b"device ?" in frame}
    vectors.makes(asked, "device ?")
    module = AciPids3(Random(1))
    answer = b"".join(module.on_bytes(piece) for piece in vectors.cut(vectors.data("device ?")))
    assert b"device CPN Sensor Device" in answer
    for name in ("pids.start crc", "pids.error ? crc"):
        vector = vectors.take(name)
        frames = [frame for frame in player.sent() if b"\x02" + vector["text"].encode() + b"\x03" in frame]
        assert frames
        for frame in frames:
            vectors.makes_text(frame[-9:-1].decode(), name, "crc")


def zebra_ssi(vectors: Vectors) -> None:
    """A scanner that answers with the published packets; a damaged scan is asked for again."""
    session = vectors.data("host START_SESSION")
    acknowledge, accepted = vectors.data("host CMD_ACK"), vectors.data("decoder CMD_ACK status 80")
    again = vectors.data("host CMD_NAK RESEND")
    scan = vectors.data("decoder DECODE_DATA EAN-13 5901234123457 (type byte + bare data)")
    enabled = _zebra_answers(vectors)
    player = vectors.player("scanner.zebra_ssi")
    while player.sent()[-1:] != [bytes.fromhex("04e90400ff0f")]:  # permission to scan
        player.wait()
        assert len(player.sent()) < 6
    refused = len(player.faults)
    player.give(accepted)
    player.give(scan)
    assert [one for one in player.samples if isinstance(one, Scan)] == [Scan("barcode", "ean-13", b"5901234123457")]
    assert player.sent()[-1] == acknowledge
    vectors.makes(player.sent()[-1], "host CMD_ACK")
    assert len(player.faults) == refused
    player.now += 5.0
    player.give(scan[:6] + bytes([scan[6] ^ 1]) + scan[7:])
    assert player.sent()[-1] == again
    vectors.makes(player.sent()[-1], "host CMD_NAK RESEND")
    player.command("start-session", session)
    assert enabled not in player.sent()


def _zebra_answers(vectors: Vectors) -> bytes:
    """The scanner's side of it: it understands what the host says, in any pieces, and makes what it says itself."""
    session, enabled = vectors.data("host START_SESSION"), vectors.data("host SCAN_ENABLE status 08")
    vectors.makes(encode(0xE4), "host START_SESSION")
    vectors.makes(encode(0xE9, status=8), "host SCAN_ENABLE status 08")
    for request in (session, enabled):
        device = scanner.ZebraScanner(Random(1))
        device.on_bytes(b"\0")  # it sleeps
        answer = b"".join(device.on_bytes(piece) for piece in vectors.cut(request))
        vectors.makes(answer, "decoder CMD_ACK status 80")
    code = b"5901234123457"
    vectors.makes(
        scanner.packet(0xF3, 0, 0, data=b"\x0b" + code),
        "decoder DECODE_DATA EAN-13 5901234123457 (type byte + bare data)",
    )
    return enabled


def text(vectors: Vectors) -> None:
    """Identifiers that a simulated HID-POS reader sends arrive letter by letter, and their check digits hold."""
    for place in sorted(vectors.all):
        stated = vectors.take(*place)
        content = stated if isinstance(stated, str) else "".join(stated)
        vectors.makes_read(_read_by_hid_pos(vectors, content).data.decode(), *place)
    for name in ("mrz_td1", "mrz_td2", "mrz_td3", "mrv_a"):
        zone = "\r".join(vectors.take(name))
        assert _verdict(vectors, zone) == ("document", True)
        birth = zone.index("740812" if name != "mrv_a" else "400907")
        for at in range(birth, birth + 6):
            digit = str((int(zone[at]) + 1) % 10)
            assert _verdict(vectors, zone[:at] + digit + zone[at + 1 :]) == ("document", False)
    for number in vectors.take("s10"):
        assert _verdict(vectors, number) == ("parcel", True)
        assert _verdict(vectors, _other_last_digit(number[:-2]) + number[-2:]) == ("parcel", False)
    for key, digit in vectors.take("gs1_check"):
        assert _verdict(vectors, key + digit) == ("product", True)
        assert _verdict(vectors, _other_last_digit(key + digit)) == ("text", None)  # a QR code need not hold a key
        assert _verdict(vectors, _other_last_digit(key + digit), "]X0", "other") == ("product", False)


def _other_last_digit(number: str) -> str:
    return number[:-1] + str((int(number[-1]) + 1) % 10)


def _read_by_hid_pos(vectors: Vectors, content: str, aim: str = "]Q1", symbology: str = "qr-code") -> Scan:
    """Through the reports of the simulated reader."""
    reader, player = cast(UsbSimulator, load_simulator("scanner.hid_pos")(Random(1))), vectors.player("scanner.hid_pos")
    reader.do("scan", symbology=aim, data=content)
    reader.advance(0.1)
    while (report := reader.transfer_in(0x81, 64)) is not None:
        player.give(report, "in:81")
    assert player.faults == []
    (scan,) = (one for one in player.samples if isinstance(one, Scan))
    assert (scan.symbology, scan.cause) == (symbology, Cause.NONE)
    return scan


def _verdict(vectors: Vectors, content: str, aim: str = "]Q1", symbology: str = "qr-code") -> tuple[Any, ...]:
    data = scan_data(_read_by_hid_pos(vectors, content, aim, symbology), ScanPolicy(Publish.HASH, b"key"))
    return data.kind, data.valid
