"""The REST door: an HTTP API in front, gRPC to im-logic behind."""
