"""Applies what clients asked for by frames, a batch at a time."""
