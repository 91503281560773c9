"""Of whom it is plain whether they can be contacted: the statement that spares most people the gate.

It says the ledger's law once more, for those of whom nothing else is on file that could forbid a contact; about all
others it says null. A property test holds it to the gate.
"""

from datetime import date, datetime, timedelta, timezone
from typing import Final

from app.kit.columns import TENANT

_FIRST: Final = timezone(timedelta(hours=14))
_ADDRESS: Final = "from jsonb_array_elements(c.{}) as a(item) where a.item ->> 'value' is not null"
_ON_FILE: Final = f"""c.hidden_at is not null or c.live_selection_at is not null or c.retention_expires_on < :today
  or exists (select from identifiers i where i.candidate_id = c.id and (
    i.state <> 'ok' or exists (select from suppressions x where x.value_hmac = i.value_hash offset 0)) offset 0)
  or exists (select {_ADDRESS.format("email_addresses || c.phone_numbers")} and not exists (
    select from identifiers i where i.candidate_id = c.id and i.value = a.item ->> 'value'))
  or (c.links <> '[]' and exists (select from suppressions x where x.kind = 'url'))"""  # noqa: S608 (constants)
"""Whatever may forbid a contact for which there is a grant. An address is suppressed by the hash of its identifier.

The offsets keep the planner from reading all that is suppressed, or all identifiers, for each page of people.
"""
_GRANTED: Final = f"""exists (select from consents s
  where s.candidate_id = c.id and s.status = 'granted' and (s.expires_at is null or s.expires_at > :at)
    and case s.channel when 'email' then exists (select {_ADDRESS.format("email_addresses")})
      when 'phone' then exists (select {_ADDRESS.format("phone_numbers")})
      when 'sms' then exists (select {_ADDRESS.format("phone_numbers")}) else true end
    and not exists (select from consents l
      where l.candidate_id = c.id and l.purpose = s.purpose and l.channel = s.channel
        and (l.obtained_at, l.status = 'withdrawn', l.id) > (s.obtained_at, false, s.id)))"""  # noqa: S608 (constants)
"""Whether the ledger's law (`ledger.state`) finds a grant, on a channel that reaches them."""
CONTACTABLE: Final = f"case when {_ON_FILE} then null else {_GRANTED} end"
"""Whether a candidate `c` can be contacted at the moment `:at`, for `:today`; null where that is not plain."""
EVIDENT: Final = f"""select c.id, {CONTACTABLE} as contactable
  from candidates c where c.tenant_id = {TENANT} and c.id = any(:ids)
    and c.erased_at is null and c.merged_into is null"""  # noqa: S608 (constants)


def last_day(at: datetime) -> date:
    """Return the day of a moment where days begin first: who is kept until then is kept in every zone."""
    return at.astimezone(_FIRST).date()
