"""The live book: a chapter's knobs turn in its page, on the lab's own Python."""
