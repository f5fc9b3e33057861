"""Past one machine's memory: streams in parts, state by key, engines."""
