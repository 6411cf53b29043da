"""The edge: who may connect, what clients send and receive, REST."""
