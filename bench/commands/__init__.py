"""The commands of the command line, a module each: what one imports, the others need not wait for."""
