"""The error of a file or an option that cannot be used."""


class BadInput(ValueError):
    """The reader's file or option cannot be used; the message says why and what to do.

    Examples
    --------
    >>> from companion.streams import from_csv
    >>> try:
    ...     from_csv("nothing.csv", "y")
    ... except BadInput as error:
    ...     print(error)
    nothing.csv: there is no such file; check the name and the folder
    """
