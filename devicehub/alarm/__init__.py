"""The numpy core: limits, frames and their statistics. Pure; time is an argument."""
