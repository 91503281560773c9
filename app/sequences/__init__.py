"""Mail that is sent step by step, each step once.

Words: a template has revisions and is rendered for one candidate; a sequence is a definition of steps with revisions,
of which one is live and one may be a draft; an enrollment is one candidate's way through one revision; a message is one
mail of one step, and the row that makes sure that it is never sent twice; the gate is the last question before sending;
a lane sends one message at a time; a variant is one of several wordings of a step; an entry lets people in by itself
when they come into a state, and a mark says who was in it already.
Owns: templates and template_revisions, sequences and sequence_revisions, enrollments, messages, send_buckets,
entry_marks, feed_cursors;
rendering, scheduling, the bytes of a mail and its way to the mail server; the token of an unsubscribe link.
Does NOT own: whether somebody may be written to (consent), addresses (candidates), what happened (touchpoints), what is
offered (contents), the pages behind the links (pages).
"""
