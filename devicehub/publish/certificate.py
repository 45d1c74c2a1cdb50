"""When a certificate ends. Only that is read: whether it is to be trusted is OpenSSL's business.

Source: RFC 5280, 4.1 (fields of a certificate) and 4.1.2.5 (validity); X.690 (DER); RFC 7468 (PEM).
"""

import binascii
import re
import ssl
from datetime import UTC, datetime
from typing import Final

from devicehub.model.errors import DeviceHubError

_SEQUENCE, _VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18
_BEFORE_VALIDITY: Final = 3
_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_FORMS: Final = {_UTC_TIME: "%y%m%d%H%M%SZ", _GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}


class CertificateError(DeviceHubError):
    """What should be a certificate is none."""


def ends(pem: str) -> float:
    """The second of UTC in which the first certificate of a PEM text ends. Raises `CertificateError`."""
    found = _PEM.search(pem)
    if found is None:
        raise CertificateError("there is no PEM block CERTIFICATE")
    try:
        whole = ssl.PEM_cert_to_DER_cert(found[0])
    except (ValueError, binascii.Error):
        raise CertificateError("its base64 is damaged") from None
    _, certificate, _ = _element(whole, _SEQUENCE)
    _, fields, _ = _element(certificate, _SEQUENCE)
    tag, _, rest = _element(fields)
    fields = rest if tag == _VERSION else fields
    for _ in range(_BEFORE_VALIDITY):  # serial number, signature algorithm, issuer
        _, _, fields = _element(fields)
    _, validity, _ = _element(fields, _SEQUENCE)
    _, _, last = _element(validity)
    tag, text, _ = _element(last)
    return _instant(tag, text)


def _instant(tag: int, text: bytes) -> float:
    """Two digits of the year are those of 1950 to 2049."""
    try:
        at = datetime.strptime(text.decode("ascii"), _FORMS[tag]).replace(tzinfo=UTC)
    except (KeyError, ValueError):
        raise CertificateError("the time of its end is damaged") from None
    return (at.replace(year=at.year - 100) if tag == _UTC_TIME and at.year >= 2050 else at).timestamp()


def _element(data: bytes, wanted: int | None = None) -> tuple[int, bytes, bytes]:
    """Tag and contents of the first element, and what follows it."""
    if len(data) < 2 or (wanted is not None and data[0] != wanted):
        raise CertificateError("its structure is damaged")
    length, start = data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    if len(data) < start + length:
        raise CertificateError("it is cut short")
    return data[0], data[start : start + length], data[start + length :]
