"""What follows from events and commands: that it came about, for everybody, in the end."""
