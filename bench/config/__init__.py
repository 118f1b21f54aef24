"""The config: data options, suites, and reading `bench.toml`."""
