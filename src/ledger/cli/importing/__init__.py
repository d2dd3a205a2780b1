"""The verb `import`: a file is judged as a whole, then its commands are sent, then all is told."""
