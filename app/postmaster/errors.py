from app.kit.errors import Invalid


class DomainInvalid(Invalid):
    """This is not the name of a domain."""

    code = "domain_invalid"
