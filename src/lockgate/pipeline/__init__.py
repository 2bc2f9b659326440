"""Runs the stages of lockgate.yaml in order, signs what they found and decides each gate."""
