"""The door of this room: text comes in, not a missing value and not bytes."""

from ecomtutor.errors import EcomTutorError


def require_text(text: object) -> str:
    """`text` itself, if it is text.

    Raises:
        EcomTutorError: anything else came, such as the None or NaN of an empty table cell.
    """
    if isinstance(text, str):
        return text
    raise EcomTutorError(
        f"Text was expected; {text!r:.60} ({type(text).__name__}) came. Drop the rows without "
        "text first (`table.dropna`), and decode bytes (`data.decode('utf-8')`)."
    )
