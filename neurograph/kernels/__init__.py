"""Numba kernels that do not know the network: they take one memory, integer tables and counts.

Its modules import Numba; so nothing outside `neurograph.compiler.bind` and `.program` imports them, and only when a plan is bound; and
augmentation does (`resample.py`), when the first image is changed.
"""
