"""Networks on pictures, of timm and torchvision: followed, cut where one tensor crosses, their weights read.

`tracing`, `structure` and `graph` find the stages, `pictures` prepares, `checkpoint` reads files, `backbone` puts all
of it together, and `timm_models` and `torchvision_models` say what each library has.
"""
