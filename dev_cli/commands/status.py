"""Placeholder."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """x"""


def run(a: argparse.Namespace) -> int:
    """x"""
    return 0
