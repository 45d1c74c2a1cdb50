"""What others build against: JSON Schema 2020-12 per message kind, and an AsyncAPI 3.1 document.

Everything is derived from the payload structs, the envelope and the rules that the publisher itself
uses; nothing is written twice. `python -m devicehub.publish.contract FOLDER` writes the files.

Source: AsyncAPI 3.1.0 (https://www.asyncapi.com/docs/reference/specification/v3.1.0) and its MQTT
bindings 0.2.0.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import msgspec

from devicehub.model import payload
from devicehub.model.message import Kind
from devicehub.publish.envelope import CONTENT_TYPE, Envelope
from devicehub.publish.topics import EXERCISE_ROOT, REAL_ROOT, RULES, Lane, Rule, Shape, schema_id

Json = Mapping[str, "JsonValue"]
JsonValue = None | bool | int | float | str | Sequence["JsonValue"] | Json

PAYLOADS: Mapping[Kind, tuple[object, ...]] = MappingProxyType(
    {
        Kind.STATUS: (payload.StatusData,),
        Kind.INFO: (payload.InfoData,),
        Kind.HEALTH: (payload.HealthData,),
        Kind.DESCRIBE: (payload.DescribeData,),
        Kind.DEVICE: (payload.DeviceData,),
        Kind.CAPABILITY: (payload.CapabilityData,),
        Kind.STATE: (payload.StateData,),
        Kind.READING: (payload.ReadingData, tuple[payload.ReadingData, ...], payload.SpectrumData),
        Kind.RESULT: (payload.ResultData,),
        Kind.FRAME: (payload.FrameData,),
        Kind.CAPTURE: (payload.CaptureData,),
        Kind.SCAN: (payload.ScanData,),
        Kind.ALARM: (payload.AlarmData,),
        Kind.EVENT: (payload.AlarmData, payload.DeviceEventData, payload.HubEventData),
        Kind.GAP: (payload.GapData,),
    }
)
"""What the `data` of each kind may be."""

_TITLES: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.STATUS: "Whether the hub is online; also the MQTT will",
        Kind.INFO: "What runs on the workstation",
        Kind.HEALTH: "How the hub does, every ten seconds",
        Kind.DESCRIBE: "What a device is and can do; an empty message: no longer configured",
        Kind.DEVICE: "State of a device; an empty message: no longer configured",
        Kind.CAPABILITY: "What a device can detect at this moment; an empty message: no longer configured",
        Kind.STATE: "Latest value of each channel, flat, at most once a second; an empty message: nothing is known",
        Kind.READING: "Measurements at full fidelity",
        Kind.RESULT: "One finished screening",
        Kind.FRAME: "Summary of one image",
        Kind.CAPTURE: "An image was stored as evidence",
        Kind.SCAN: "A scanned identifier (personal data)",
        Kind.ALARM: "Current state of an alarm point; an empty message deletes it",
        Kind.EVENT: "Journal of what happened",
        Kind.GAP: "Something was not accepted or was dropped",
    }
)
_PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "site": "Border crossing point",
        "node": "Workstation",
        "device": "Device as it is named in the configuration",
        "point": "Channel of a reading, rule of an alarm",
        "type": "Type of the event, with a hyphen for each dot",
        "stream": "What lost something",
    }
)
_INFO = (
    "Every topic segment matches [a-z0-9-]{1,64}. Simulated messages have the same form below "
    f"`{EXERCISE_ROOT}` instead of `{REAL_ROOT}` and carry `exercise: true`. A consumer ignores what it does not "
    "know: version 1 is only ever extended. On MQTT 5 the user properties `type`, `id` and `subject` repeat the "
    "envelope. Silence is never to be read as clear: see `capability`."
)


def schema(kind: Kind) -> Json:
    """JSON Schema 2020-12 of one kind: envelope and data."""
    envelope, definitions = _components(kind, "#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": schema_id(kind),
        **envelope,
        "$defs": definitions,
    }


def asyncapi() -> Json:
    """The AsyncAPI 3.1 document of all kinds."""
    channels: dict[str, JsonValue] = {}
    operations: dict[str, JsonValue] = {}
    messages: dict[str, JsonValue] = {}
    schemas: dict[str, JsonValue] = {}
    for kind, rule in RULES.items():
        envelope, definitions = _components(kind, "#/components/schemas/{name}")
        schemas |= {**definitions, _envelope_name(kind): envelope}
        messages[kind] = _message(kind)
        for name, address in _addresses(kind, rule.shape).items():
            channels[name] = _channel(kind, address)
            operations[f"publish{name[0].upper()}{name[1:]}"] = _operation(kind, name, rule)
    return {
        "asyncapi": "3.1.0",
        "id": "urn:devicehub:contract:v1",
        "info": {"title": "devicehub", "version": "1.0.0", "description": _INFO},
        "defaultContentType": CONTENT_TYPE,
        "servers": {"broker": _server()},
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "schemas": dict(sorted(schemas.items())),
            "parameters": {name: {"description": text} for name, text in _PARAMETERS.items()},
        },
    }


def write_schemas(folder: Path) -> None:
    """Write `asyncapi.json` and one `<kind>.schema.json` per kind. The bytes depend on the code alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (folder / name).write_text(text, encoding="utf-8")


def files() -> Mapping[str, str]:
    """The generated files: name and text."""
    documents = {"asyncapi.json": asyncapi()} | {f"{kind}.schema.json": schema(kind) for kind in Kind}
    return {name: json.dumps(document, indent=2, ensure_ascii=False) + "\n" for name, document in documents.items()}


def _components(kind: Kind, reference: str) -> tuple[Json, Json]:
    types = (Envelope, *PAYLOADS[kind])
    (_, *data), definitions = msgspec.json.schema_components(types, ref_template=reference)
    envelope = definitions.pop("Envelope")
    envelope["title"] = _envelope_name(kind)
    envelope["description"] = f"{_TITLES[kind]}. Kind `{kind}`."
    envelope["properties"]["data"] = data[0] if len(data) == 1 else {"anyOf": data}
    for described in envelope["properties"].values():
        if described.get("default") == "":
            del described["default"]  # an attribute that would be empty is left out
    if RULES[kind].lane is Lane.JOURNAL:
        envelope["required"] += ["recordedtime", "sequence"]
    else:
        del envelope["properties"]["recordedtime"], envelope["properties"]["sequence"]
    return envelope, dict(sorted(definitions.items()))


def _envelope_name(kind: Kind) -> str:
    return f"{kind.capitalize()}Message"


def _addresses(kind: Kind, shape: Shape) -> dict[str, str]:
    root = f"{REAL_ROOT}/{{site}}/{{node}}/{kind}"
    match shape:
        case Shape.OPTIONAL_POINT:
            return {kind: f"{root}/{{device}}/{{point}}", f"{kind}Batch": f"{root}/{{device}}"}
        case _:
            return {kind: root + shape.removeprefix("{kind}")}


def _channel(kind: Kind, address: str) -> Json:
    parameters = [name for name in _PARAMETERS if f"{{{name}}}" in address]
    return {
        "address": address,
        "title": _TITLES[kind],
        "messages": {kind: {"$ref": f"#/components/messages/{kind}"}},
        "parameters": {name: {"$ref": f"#/components/parameters/{name}"} for name in parameters},
    }


def _operation(kind: Kind, channel: str, rule: Rule) -> Json:
    binding: dict[str, JsonValue] = {"qos": rule.qos, "retain": rule.retain}
    if rule.expiry is not None:
        binding["messageExpiryInterval"] = rule.expiry
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{kind}"}],
        "bindings": {"mqtt": {**binding, "bindingVersion": "0.2.0"}},
    }


def _message(kind: Kind) -> Json:
    return {
        "name": kind,
        "title": _TITLES[kind],
        "contentType": CONTENT_TYPE,
        "payload": {"$ref": f"#/components/schemas/{_envelope_name(kind)}"},
    }


def _server() -> Json:
    return {
        "host": "{host}:{port}",
        "protocol": "mqtt",
        "protocolVersion": "5.0",
        "description": "MQTT 5; 3.1.1 works without proof of delivery, and TLS as `mqtts`.",
        "variables": {"host": {"default": "127.0.0.1"}, "port": {"default": "1883"}},
        "bindings": {
            "mqtt": {
                "cleanSession": True,
                "keepAlive": 5,
                "lastWill": {"topic": f"{REAL_ROOT}/{{site}}/{{node}}/{Kind.STATUS}", "qos": 1, "retain": True},
                "bindingVersion": "0.2.0",
            }
        },
    }


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
