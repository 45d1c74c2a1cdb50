"""The MQTT edge: topics, envelope, contract, client and embedded broker."""
