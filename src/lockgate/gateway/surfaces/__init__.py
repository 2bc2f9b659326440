"""The shapes in which callers ask: each reads its requests into one kind of conversation, and writes answers."""
