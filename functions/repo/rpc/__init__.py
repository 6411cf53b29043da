"""RepoService: the repo layer for callers outside the VPC."""
