"""Engines' own tools as their users run them: what ortbench's drivers are measured against."""
