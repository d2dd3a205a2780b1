"""A projection rebuilt from the events beside the live one, compared with it, and swapped in."""
