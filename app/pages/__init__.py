"""The few pages that a candidate opens from a mail.

Words: a page is HTML for a person, readable on a phone, without scripts; a one-click is the POST that a mail program
makes by itself (RFC 8058).
Owns: the words and the look of these pages, in Japanese and English.
Does NOT own: the tokens of its links (sequences), what an unsubscription means (consent), the timeline (touchpoints).
"""
