"""Trains the weights of the injection detector: `python -m training --help`."""
