"""Simulators: endoscope."""
