"""Plays a hub to any durable consumer over a real broker and judges it by its receipts and by what it has stored.

The rules are those of docs/decisions/0012-streams-epochs-and-receipts.md. `hub` is what is played, `stage` the broker,
the receipts and the process of the consumer, `rules` what has to hold, `check` plays them one after the other.
"""
