"""Knowledge-graph question answering: walk with tools, or write a path program."""

from graphenv.envs.kgqa.env import KGQAEnv
from graphenv.envs.kgqa.program import Program, parse_program
from graphenv.envs.kgqa.sources import SOURCES, KGQASource, make_source

__all__ = ["SOURCES", "KGQAEnv", "KGQASource", "Program", "make_source", "parse_program"]
