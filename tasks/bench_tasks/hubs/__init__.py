"""Data that are elsewhere: data sets of torchvision, torchaudio and Hugging Face, and files at addresses of the web.

`kept` opens data sets by the reader of their library, which takes seconds to load, and remembers what was found.
"""
