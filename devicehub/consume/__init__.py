"""The reference durable consumer: stores every numbered message once and says with receipts what it has.

`count` and `book` are pure and know the numbers, `heard` knows the bytes, `lines` and `table` are the two stores,
`consumer` is the loop, `conformance` judges any other consumer. See docs/decisions/0012-streams-epochs-and-receipts.md
and docs/guides/connect-a-consumer.md.
"""
