"""The functions of im-task."""
