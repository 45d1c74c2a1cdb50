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
from typing import NamedTuple

import msgspec
from msgspec import Struct

from devicehub.model import payload
from devicehub.model.message import Kind
from devicehub.model.payload_command import CommandRequest
from devicehub.model.receipt import Receipt
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
        Kind.LANE: (payload.LaneData,),
        Kind.STATE: (payload.StateData,),
        Kind.READING: (payload.ReadingData, tuple[payload.ReadingData, ...], payload.SpectrumData),
        Kind.RESULT: (payload.ResultData,),
        Kind.FRAME: (payload.FrameData,),
        Kind.CAPTURE: (payload.CaptureData,),
        Kind.SCAN: (payload.ScanData,),
        Kind.ALARM: (payload.AlarmData,),
        Kind.INSPECTION: (payload.InspectionData,),
        Kind.EVENT: (
            payload.AlarmData,
            payload.FloodData,
            payload.AlarmStatisticsData,
            payload.RulesData,
            payload.ShadowData,
            payload.DeviceEventData,
            payload.HubEventData,
            payload.CommandEventData,
            payload.LaneData,
            payload.InspectionData,
            payload.PreflightData,
        ),
        Kind.GAP: (payload.GapData,),
        Kind.RES: (payload.AnswerData,),
    }
)
"""What the `data` of each kind may be."""

_STORED = ("recordedtime", "epoch", "position")
_COUNTED = ("sequence", "stream")
_TITLES: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.STATUS: "Whether the hub is online; also the MQTT will",
        Kind.INFO: "What runs on the workstation",
        Kind.HEALTH: "How the hub does, every ten seconds",
        Kind.DESCRIBE: "What a device is and can do; an empty message: no longer configured",
        Kind.DEVICE: "State of a device; an empty message: no longer configured",
        Kind.CAPABILITY: "What a device can detect at this moment; an empty message: no longer configured",
        Kind.LANE: "What all devices together can detect of what is required, and what stands; none: nobody knows",
        Kind.STATE: "Latest value of each channel, flat, at most once a second; an empty message: nothing is known",
        Kind.READING: "Measurements at full fidelity",
        Kind.RESULT: "One finished screening",
        Kind.FRAME: "Summary of one image",
        Kind.CAPTURE: "An image was stored as evidence",
        Kind.SCAN: "A scanned identifier (personal data)",
        Kind.ALARM: "Current state of an alarm point; an empty message deletes it",
        Kind.INSPECTION: "The inspection that is open at a desk, and how far it has come; an empty message: none is",
        Kind.EVENT: "Journal of what happened",
        Kind.GAP: "Something was not accepted or was dropped",
        Kind.RES: "State of a command. MQTT 5: with its correlation data, to its response topic if that is below `res`",
    }
)
_PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "site": "Border crossing point",
        "node": "Workstation",
        "target": "Device as it is named in the configuration, or `hub`",
        "verb": "What is to be done",
        "consumer": "A durable consumer's own name",
        "device": "Device as it is named in the configuration; of an answer, the target of the command",
        "point": "Channel of a reading, rule of an alarm, verb of a command",
        "desk": "Desk as it is named in the configuration",
        "type": "Type of the event, with a hyphen for each dot",
        "stream": "What lost something",
    }
)


class Inward(NamedTuple):
    """What others send to a hub."""

    title: str
    address: str
    payload: type[Struct]
    retain: bool = False


INWARD: Mapping[str, Inward] = MappingProxyType(
    {
        "cmd": Inward(
            "A command; one that is retained or past its deadline is refused", "{target}/{verb}", CommandRequest
        ),
        "receipt": Inward("What a durable consumer has on stable storage", "{consumer}", Receipt, retain=True),
    }
)
"""By the first topic segment below the node."""

_INFO = (
    "Every topic segment matches [a-z0-9-]{1,64}. Simulated messages have the same form below "
    f"`{EXERCISE_ROOT}` instead of `{REAL_ROOT}` and carry `exercise: true`. A consumer ignores what it does not "
    "know: version 1 is only ever extended. On MQTT 5 the user properties `type`, `id` and `subject` repeat the "
    "envelope. Silence is never to be read as clear: see `capability` and `lane`."
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


def inward_schema(name: str) -> Json:
    """JSON Schema 2020-12 of what others send: plain JSON, without an envelope."""
    reference, definitions = _inward_components(INWARD[name], "#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:devicehub:schema:v1:{name}",
        **reference,
        "$defs": definitions,
    }


def asyncapi() -> Json:
    """The AsyncAPI 3.1 document of all kinds."""
    channels: dict[str, JsonValue] = {}
    operations: dict[str, JsonValue] = {}
    messages: dict[str, JsonValue] = {}
    schemas: dict[str, JsonValue] = {}
    for name, inward in INWARD.items():
        reference, definitions = _inward_components(inward, "#/components/schemas/{name}")
        schemas |= definitions
        messages[name] = _inward_message(name, reference)
        channels[name] = _channel(name, inward.title, f"{REAL_ROOT}/{{site}}/{{node}}/{name}/{inward.address}")
        operations[f"receive{name.capitalize()}"] = _operation(
            "receive", name, name, {"qos": 1, "retain": inward.retain}
        )
    for kind, rule in RULES.items():
        envelope, definitions = _components(kind, "#/components/schemas/{name}")
        schemas |= {**definitions, _envelope_name(kind): envelope}
        messages[kind] = _message(kind)
        for name, address in _addresses(kind, rule.shape).items():
            channels[name] = _channel(kind, _TITLES[kind], address)
            operations[f"publish{name[0].upper()}{name[1:]}"] = _operation("send", kind, name, _binding(rule))
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
    documents |= {f"{name}.schema.json": inward_schema(name) for name in INWARD}
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
    journalled, numbered = RULES[kind].lane is Lane.JOURNAL, RULES[kind].numbered
    for needed, names in ((journalled, _STORED), (journalled and numbered, _COUNTED)):
        for name in names:
            if needed:
                envelope["required"].append(name)
            else:
                del envelope["properties"][name]
    return envelope, dict(sorted(definitions.items()))


def _inward_components(inward: Inward, reference: str) -> tuple[Json, Json]:
    (found,), definitions = msgspec.json.schema_components((inward.payload,), ref_template=reference)
    return found, dict(sorted(definitions.items()))


def _inward_message(name: str, payload: Json) -> Json:
    return {"name": name, "title": INWARD[name].title, "contentType": "application/json", "payload": payload}


def _envelope_name(kind: Kind) -> str:
    return f"{kind.capitalize()}Message"


def _addresses(kind: Kind, shape: Shape) -> dict[str, str]:
    root = f"{REAL_ROOT}/{{site}}/{{node}}/{kind}"
    if shape is Shape.OPTIONAL_POINT:
        return {kind: f"{root}/{{device}}/{{point}}", f"{kind}Batch": f"{root}/{{device}}"}
    return {kind: root + shape.removeprefix("{kind}")}


def _channel(name: str, title: str, address: str) -> Json:
    parameters = [one for one in _PARAMETERS if f"{{{one}}}" in address]
    return {
        "address": address,
        "title": title,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "parameters": {one: {"$ref": f"#/components/parameters/{one}"} for one in parameters},
    }


def _binding(rule: Rule) -> dict[str, JsonValue]:
    binding: dict[str, JsonValue] = {"qos": rule.qos, "retain": rule.retain}
    if rule.expiry is not None:
        binding["messageExpiryInterval"] = rule.expiry
    return binding


def _operation(action: str, message: str, channel: str, binding: dict[str, JsonValue]) -> Json:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{message}"}],
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
