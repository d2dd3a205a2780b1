"""What AWS calls: each handler parses, makes one call inwards, and maps the answer."""
