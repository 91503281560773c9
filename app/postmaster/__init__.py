"""What the world of mail says back to us.

Words: a bounce is the word of a mail server that a mail could not be delivered (RFC 3464); a complaint is that of a
provider whose user called a mail spam (RFC 5965); a reply is a person's answer to a mail of ours, an automatic reply a
machine's; a sender domain is what stands behind the @ of who writes, with the records that let receivers trust it.
Owns: reading mails that come back, judging the DNS records of sender domains.
Does NOT own: messages and sequences, what a bounce does to an address (candidates), the timeline (touchpoints).
"""
