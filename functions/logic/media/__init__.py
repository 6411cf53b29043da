"""Media: where a file goes and where it is fetched; its bytes pass by none of our functions."""
