"""The local stage: a local AWS, the services behind it, and the Kafka event source mappings."""
