"""Runs every minute outside the VPC: finds connections that ended without anybody telling."""
