"""What the parts say to each other: Kafka records and gRPC stubs."""
