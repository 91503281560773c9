"""Measurements as ratios: ours beside a yardstick, in the same run, on the same machine."""
