"""What makes the book's products: run from the repository's root, as ``python -m book.press.…``.

``site`` makes the pages, ``lab`` the JupyterLab in it, ``slides`` the decks, ``course`` what
teachers get; ``checks`` looks for faults, ``upkeep`` writes anew what is kept in git.
"""
