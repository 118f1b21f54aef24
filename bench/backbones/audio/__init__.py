"""Networks on recordings: how those of all libraries hear (`backbone`), stages of speech networks, and torchaudio's."""
