"""The part of the command line that is about what a broker keeps."""

from devicehub.cli.grammar import Nouns, hub_options, leaf, noun


def broker(commands: Nouns) -> None:
    """`devicehub mqtt`."""
    noun(commands, "mqtt", "what the broker keeps of hubs", _of_the_broker)


def _of_the_broker(nouns: Nouns) -> None:
    clean = leaf(nouns, "clean", "mqtt_clean", "remove what a hub that is gone for good left retained at the broker")
    clean.add_argument("--dry-run", action="store_true", help="name it, and remove nothing")
    hub_options(clean)
