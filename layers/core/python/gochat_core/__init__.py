"""What every part of GoChat shares: errors, ids, types, clock, settings, logs, metrics and traces; no I/O library."""
