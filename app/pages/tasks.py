from app.kit import jobs
from app.kit.db import Database
from app.pages.letters import Letters
from app.sequences import mailer
from app.settings import Settings


@jobs.loop("page_codes")
async def mail_codes(database: Database, settings: Settings) -> None:
    """Mail the codes that people ask for on their pages."""
    sending = mailer.mailer_of(settings)
    try:
        await Letters(database, sending).run()
    finally:
        await sending.close()
