"""Networks on recordings: what those of all libraries share (`backbone`), speech networks in stages, torchaudio's."""
