"""Decides at the handshake who may open a WebSocket."""
