"""Positions: an opened position and who fits it, at once.

Words: a *position* has criteria, which everybody who is listed meets, and *wishes*, which are criteria with a weight; a
*match* is one such person; their *fit* is the sum of the weights of the wishes that they meet.

Owns: positions, and the order of their matches.

Does NOT own: the criteria's grammar and what they may ask (pools), the scores and contact decisions that it shows.
"""
