from app.kit.errors import NotFound


class PairNotFound(NotFound):
    """There is no such pair in this tenant."""
