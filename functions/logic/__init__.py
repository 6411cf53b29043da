"""The functions of im-logic: what may be done, by whom, and what follows from it."""
