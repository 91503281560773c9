"""Scores: how interested, and how fitting, a candidate is now, and why.

Words: *interest* decays with a half-life, *fit* does not, *value* is both; a *contribution* is one part of a value;
a *tier* is a named band of values; a *model* says all of this, as a draft, published or retired.

Owns: the models, the formula, the stored curve of each candidate and the moment at which it crosses the next bound.

Does NOT own: the touchpoints that it counts, nor the judgement of who made them, nor the criteria of its fit rules.
"""
