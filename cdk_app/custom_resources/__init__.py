"""Custom resources: the few things that CloudFormation can't do itself, as plain Python handlers."""
