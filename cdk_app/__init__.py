"""The CDK app: every stage of GoChat as stacks."""
