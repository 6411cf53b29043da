"""Shows dead letters to operators and brings them back; invoked by `./dev dead-letters` and by nobody else."""
