"""Models of the Hugging Face hub, or of a folder like its snapshots, as backbones of transformers in any domain.

`files` finds what is published and `opening` chooses what makes a backbone of it: `text` and `images` by cutting the
network around its layers (`layers`, `slices`), `audio` and `series` by what is known of each architecture.
"""
