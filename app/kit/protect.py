"""What a migration says to put a table under its tenant: forced row-level security, one policy, grants."""

from typing import Final

APP: Final = "talentpool_app"
ROUTER: Final = "talentpool_router"
POLICY: Final = "tenant"


def protect(table: str, *, column: str = "tenant_id", grants: str = "select, insert, update, delete") -> list[str]:
    """Return the statements that put `table` under the tenant's policy and let the service use it."""
    inside = f"({column} = (current_setting('app.tenant'))::uuid)"
    return [
        f"alter table {table} enable row level security",
        f"alter table {table} force row level security",
        f"create policy {POLICY} on {table} using {inside} with check {inside}",
        f"grant {grants} on {table} to {APP}",
    ]


def route(name: str, arguments: str, returns: str, body: str, reads: dict[str, str]) -> list[str]:
    """Return the statements of one routing function: it runs as the router, and reads only the columns of `reads`."""
    types = ", ".join(argument.split()[1] for argument in arguments.split(", "))
    grants = [f"grant select ({columns}) on {table} to {ROUTER}" for table, columns in reads.items()]
    return [
        *grants,
        f"""create function {name}({arguments}) returns {returns} language sql stable security definer
            set search_path = pg_catalog, public as $$ {body} $$""",
        f"alter function {name}({types}) owner to {ROUTER}",
        f"revoke execute on function {name}({types}) from public",
        f"grant execute on function {name}({types}) to {APP}",
    ]
