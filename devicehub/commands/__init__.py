"""Commands: read, judged, carried out once, answered and audited."""
