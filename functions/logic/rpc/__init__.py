"""The gRPC side of im-logic, invoked by gateway-http."""
