"""Weights of Lockgate's injection detector. `lockgate` reads the files beside this one; see the card in README.md."""
