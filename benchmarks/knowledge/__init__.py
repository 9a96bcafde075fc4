"""The triple store beside networkx, plain dictionaries and an embedded graph database.

Run with ``python -m graphenv.benchmarks.knowledge``; kept figures are in ``results.md``.
"""
