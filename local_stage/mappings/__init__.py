"""The Kafka event source mappings of the local stage, as Lambda's own pollers work them on AWS."""
