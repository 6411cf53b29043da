"""Sends pushes to devices, outside the VPC, and tells what became of each."""
