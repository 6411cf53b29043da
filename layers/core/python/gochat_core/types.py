"""The ids and small values that every part speaks of, as types of their own."""

from typing import NewType

UserId = NewType("UserId", int)
"""64-bit, time-ordered; a decimal string in JSON for clients."""

SessionId = NewType("SessionId", int)
"""One login on one device: a family of refresh tokens. 64-bit; a decimal string in JSON for clients."""

MessageId = NewType("MessageId", int)
"""64-bit, time-ordered; a decimal string in JSON for clients."""

FriendRequestId = NewType("FriendRequestId", int)
"""64-bit, time-ordered; a decimal string in JSON for clients."""

GroupId = NewType("GroupId", int)
"""63 random bits; a decimal string in JSON for clients."""

ConversationId = NewType("ConversationId", str)
"""128 bits as 32 lower-case hexadecimal digits."""

DeviceId = NewType("DeviceId", str)
"""Chosen by the client: `[A-Za-z0-9._:-]{1,64}`."""

ClientMsgId = NewType("ClientMsgId", str)
"""Chosen by the client, once for each message it composes: `[A-Za-z0-9._:-]{1,64}`."""

ConnectionId = NewType("ConnectionId", str)
"""Given by API Gateway to one WebSocket connection; base64 text that may contain `=`."""

CellId = NewType("CellId", str)
"""One WebSocket API with its downstream topic and functions."""

Seq = NewType("Seq", int)
"""A message's place in its conversation: gap-free from 1."""
