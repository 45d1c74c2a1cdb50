"""Checks of the way to the broker: connection, access list, certificates, what the broker keeps. Pure."""

from collections.abc import Iterator

from devicehub.doctor.facts import Facts
from devicehub.doctor.findings import Finding, Level

DAY = 86_400.0
SOON = 30 * DAY
AUTOSAVE = 60


def broker(facts: Facts) -> Iterator[Finding]:
    """Whether the broker can be reached and takes what the hub says."""
    one = facts.broker
    if one is None:
        return
    if one.failure:
        yield Finding(Level.FAIL, "broker", one.address, one.failure, _advice(one.failure))
    elif one.refused:
        what = f"its access list refuses what this hub says: {one.refused}"
        remedy = "let this client write below its node, as config/broker/station.acl does; check hub.site and hub.node"
        yield Finding(Level.FAIL, "acl", one.address, what, remedy)
    elif one.word in {"refused", "unverified"}:
        said = {"refused": "the broker refuses some of its topics", "unverified": "its own status does not come back"}
        what = f"the running hub says of its delivery: {said[one.word]}"
        remedy = "compare the broker's access list with config/broker/station.acl; the hub's log names the topics"
        yield Finding(Level.FAIL, "acl", one.address, what, remedy)


def _advice(failure: str) -> str:
    if "user name and password" in failure:
        return "correct mqtt.username and what mqtt.password names, or the account at the broker"
    return "what it takes stands behind the colon; 'devicehub doctor' looks again"


def forgets(facts: Facts) -> Iterator[Finding]:
    """Whether a broker on this computer loses what it acknowledged when it is started again."""
    one = facts.local_broker
    if one is None:
        return
    remedy = "persistence and autosave_interval as in config/broker/station.conf; or a durable consumer"
    if not one.persistence:
        what = "the broker keeps nothing on disk: a restart forgets what it acknowledged"
        yield Finding(Level.WARN, "broker-forgets", one.file, what, remedy)
    elif one.autosave_s > AUTOSAVE:
        what = f"the broker stores every {one.autosave_s} s: a power cut takes what it acknowledged since"
        yield Finding(Level.WARN, "broker-forgets", one.file, what, remedy)


def certificates(facts: Facts) -> Iterator[Finding]:
    """Whether a certificate has ended or is about to."""
    for one in facts.certificates:
        if one.ends is None:
            yield Finding(Level.FAIL, "certificate", one.key, f"{one.path}: {one.why}", "put a readable PEM file there")
            continue
        left = one.ends - facts.now
        remedy = "have a new one made by whoever made it; 'devicehub tls add' for a test authority"
        if left <= 0:
            yield Finding(Level.FAIL, "certificate", one.key, f"{one.path} ended {-left / DAY:.0f} days ago", remedy)
        elif left < SOON:
            yield Finding(Level.WARN, "certificate", one.key, f"{one.path} ends in {left / DAY:.0f} days", remedy)
