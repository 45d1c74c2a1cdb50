"""What a bundle consists of, as CycloneDX 1.6 in JSON: each package with its licence, and each file with its SHA-256.

python packaging/sbom.py BUNDLE > sbom.json
"""

import hashlib
import json
import sys
import uuid
from datetime import UTC, datetime
from email.message import Message
from email.parser import HeaderParser
from itertools import groupby
from pathlib import Path
from zipfile import ZipFile

from packaging.utils import canonicalize_name
from wheels import epoch

_CLASSIFIER = "License :: OSI Approved :: "


def sbom(bundle: Path) -> dict[str, object]:
    """The document of a folder with `wheels/`. The same for the same files and SOURCE_DATE_EPOCH."""
    files = sorted((bundle / "wheels").glob("*.whl"))
    told = sorted(((_told(file), file) for file in files), key=lambda one: _key(one[0]))
    packages = [_package([*group]) for _, group in groupby(told, key=lambda one: _key(one[0]))]
    (own,) = [one for one in packages if one["name"] == "devicehub"]
    parts = [one for one in packages if one is not own]
    content = hashlib.sha256(json.dumps(packages, sort_keys=True).encode()).hexdigest()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, content)}",
        "version": 1,
        "metadata": {"timestamp": f"{datetime.fromtimestamp(int(epoch()), UTC):%Y-%m-%dT%H:%M:%SZ}", "component": own},
        "components": parts,
        "dependencies": [
            {"ref": own["bom-ref"], "dependsOn": [one["bom-ref"] for one in parts]},
            *({"ref": one["bom-ref"]} for one in parts),
        ],
    }


def _told(wheel: Path) -> Message:
    with ZipFile(wheel) as archive:
        (name,) = [one for one in archive.namelist() if one.count("/") == 1 and one.endswith(".dist-info/METADATA")]
        return HeaderParser().parsestr(archive.read(name).decode())


def _key(told: Message) -> tuple[str, str]:
    return canonicalize_name(told["Name"]), told["Version"]


def _package(files: list[tuple[Message, Path]]) -> dict[str, object]:
    told = files[0][0]
    name, version = _key(told)
    url = f"pkg:pypi/{name}@{version.replace('!', '%21').replace('+', '%2B')}"
    return {
        "type": "application" if name == "devicehub" else "library",
        "bom-ref": url,
        "name": name,
        "version": version,
        "purl": url,
        **_licence(told),
        "components": [
            {
                "type": "file",
                "bom-ref": f"{url}#{file.name}",
                "name": file.name,
                "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(file.read_bytes()).hexdigest()}],
            }
            for _, file in files
        ],
    }


def _licence(told: Message) -> dict[str, object]:
    """As the package itself says it: an SPDX expression, else whatever short words it has."""
    if expression := told["License-Expression"]:
        return {"licenses": [{"expression": expression}]}
    words = [one.removeprefix(_CLASSIFIER) for one in told.get_all("Classifier", []) if one.startswith(_CLASSIFIER)]
    short = (told["License"] or "").strip()
    if not words and short and "\n" not in short and short != "UNKNOWN":
        words = [short]
    return {"licenses": [{"license": {"name": one}} for one in words]} if words else {}


if __name__ == "__main__":
    print(json.dumps(sbom(Path(sys.argv[1])), indent=1))
