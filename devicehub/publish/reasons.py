"""Why a broker could not be reached, in one line that says what to do."""

import socket
import ssl
from types import MappingProxyType

import aiomqtt
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.reasoncodes import ReasonCode

from devicehub.model.errors import DeliveryBusyError, DeliveryError, DeliveryRefusedError
from devicehub.publish.settings import BrokerSettings

_UNSUPPORTED_VERSION = 0x84
_ADVICE = MappingProxyType(
    {
        0x84: "set the MQTT version to one that it speaks",
        0x85: "choose another client identifier",
        0x86: "check user name and password",
        0x87: "check user name and password, and that this client may connect",
        0x88: "it is starting or overloaded, try later",
        0x89: "it is overloaded, try later",
        0x8A: "this client is banned there, ask its administrator",
        0x97: "a quota is exhausted there, ask its administrator",
        0x9F: "connect less often",
    }
)

# Packet identifier in use, quota exceeded (MQTT 5.0, 3.4.2.1): about the connection or the moment and not about the
# message, which may be taken later. The other such codes come in a DISCONNECT, which ends the connection anyway.
_TRANSIENT = frozenset({0x91, 0x97})
_TOO_OLD = frozenset({"TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL"})
# X509_V_ERR_ codes of x509_vfy.h.
_REMEDIES = MappingProxyType(
    {
        9: "the broker needs a new certificate, or this computer's clock is behind",
        10: "the broker needs a new certificate, or this computer's clock is ahead",
        26: "the broker needs a certificate for a server",
        62: "connect to a name that is in it",
        64: "connect to an address that is in it",
    }
)


def unknown_version(error: aiomqtt.MqttError) -> bool:
    """Whether a broker answered MQTT 5 as one does that does not know it: refused as such, or hung up on."""
    if isinstance(error, MqttConnectError):
        return isinstance(error.rc, ReasonCode) and error.rc.value == _UNSUPPORTED_VERSION
    return isinstance(error, aiomqtt.MqttCodeError)


def unpublished(topic: str, code: int, reason: str) -> DeliveryError:
    """The error for a publish that a broker answered with a code of 0x80 or above, by whether it can be retried."""
    if code in _TRANSIENT:
        return DeliveryBusyError(f"{topic}: the broker does not take it now: {reason}")
    return DeliveryRefusedError(f"{topic}: the broker refused it: {reason}")


def connecting(settings: BrokerSettings, error: aiomqtt.MqttError) -> DeliveryError:
    """The error to raise when a connection could not be opened."""
    where = f"{settings.host}:{settings.port}"
    if isinstance(error, MqttConnectError):
        code = error.rc.value if isinstance(error.rc, ReasonCode) else 0
        advice = _ADVICE.get(code, "ask its administrator")
        return DeliveryRefusedError(f"the broker at {where} refused the connection ({_name(error)}): {advice}")
    if isinstance(error, aiomqtt.MqttCodeError):
        return DeliveryError(f"{where} hung up before it answered: {_expectation(settings)}")
    # aiomqtt raises its own error "from None": the cause is only left as context.
    if isinstance(error.__context__, OSError) and not isinstance(error.__context__, TimeoutError):
        return DeliveryError(_system(settings, where, error.__context__))
    if error.__context__ is None or str(error) == "Operation timed out":
        return DeliveryError(
            f"{where} took the connection but did not answer in {settings.connect_timeout:g} s: "
            "the broker hangs, or it is no MQTT broker, or it knows MQTT 3.1.1 only and that has to be configured"
        )
    return DeliveryError(f"{where} does not answer: check address, network and firewall")


def _name(error: aiomqtt.MqttCodeError) -> str:
    return error.rc.getName() if isinstance(error.rc, ReasonCode) else str(error)


def _expectation(settings: BrokerSettings) -> str:
    if settings.tls is None:
        return "it may expect TLS, or it is no MQTT broker"
    return "it may expect a client certificate, or no TLS"


def _oldest(settings: BrokerSettings) -> str:
    minimum = None if settings.tls is None else settings.tls.minimum_version
    return "1.3" if minimum is ssl.TLSVersion.TLSv1_3 else "1.2"


def _tls(settings: BrokerSettings, where: str, error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {where} is not trusted ({error.verify_message}): {_certificate(error)}"
    if error.reason in _TOO_OLD:
        return f"{where} does not speak TLS {_oldest(settings)}: bring it up to date or set mqtt.tls_minimum"
    return f"TLS with {where} failed ({error.reason or error}): check that this port speaks TLS"


def _certificate(error: ssl.SSLCertVerificationError) -> str:
    return _REMEDIES.get(error.verify_code, "check the authority file")


def _system(settings: BrokerSettings, where: str, error: OSError) -> str:
    match error:
        case ssl.SSLError():
            return _tls(settings, where, error)
        case ConnectionRefusedError():
            return f"nothing listens on {where}: start the broker or correct the address"
        case socket.gaierror():
            return f"the name {settings.host} cannot be resolved: check the address and the name server"
        case ConnectionError():
            return f"{where} hung up ({error.strerror or error}): {_expectation(settings)}"
        case _:
            return f"{where} cannot be reached ({error.strerror or error}): check address and network"
