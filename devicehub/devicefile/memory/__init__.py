"""Codecs of devices' memories, by name: a stored log to records. What a log is made of no table of fields can say."""
