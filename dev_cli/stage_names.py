"""Names the stages that commands take: those of `cdk_app/stages.py`."""

STAGES_ON_AWS = ("dev", "prod", "external")
STAGES = ("local", *STAGES_ON_AWS)
