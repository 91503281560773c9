"""What every slice stands on and what knows no slice: transactions, errors, paging, the outbox, jobs, time, secrets."""
