"""Texts that a thermal camera tells of itself."""


def text_of(reply: bytes) -> str:
    """ASCII up to the first zero byte, without what nobody can print."""
    text = reply.partition(b"\0")[0].decode("ascii", errors="replace").strip()
    return "".join(letter if letter.isprintable() else "?" for letter in text)
