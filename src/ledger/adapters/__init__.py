"""The world behind the application's ports."""
