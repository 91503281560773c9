"""talentpool: remembers everybody who has ever met a company, and says whom to talk to today."""
