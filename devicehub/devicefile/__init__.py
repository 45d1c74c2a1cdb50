"""Device files: driver, simulator and conformance tests of a device from one TOML file, without code."""
