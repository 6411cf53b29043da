"""Makes the Kafka topics on clusters where CloudFormation can't, at each deployment."""
