"""The functions of im-repo."""
