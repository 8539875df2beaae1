"""Numba kernels that do not know the network: they take one memory, integer tables and counts.

Importing this package imports Numba; nothing outside `neurograph.compiler.bind` and `.program` does so, and only when a plan is bound.
"""
