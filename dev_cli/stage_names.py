"""Names the stages that commands take: those of `cdk_app/stages.py`."""

STAGES = ("local", "dev", "prod")
