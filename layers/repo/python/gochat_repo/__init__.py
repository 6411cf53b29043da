"""The repo layer: the only code that speaks SQL and Redis; logic and task call it in process."""
