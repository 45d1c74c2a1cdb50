"""TOML files that people write: every key with its place, every mistake as file:line:column in plain words."""
