"""Owns what is known for certain of well-known data sets: title, licence, source, citation and size of the download."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from bench.config.data import DataSpec

MIB: Final = 2**20


class Known(NamedTuple):
    """What a card says where the user says nothing. `size_bytes` is that of what is fetched, 0 if not known."""

    title: str
    source: str
    licence: str = ""
    citation: str = ""
    size_bytes: int = 0


KNOWN: Final[Mapping[str, Known]] = {
    "torchvision:CIFAR10": Known(
        "CIFAR-10",
        "https://www.cs.toronto.edu/~kriz/cifar.html",
        citation="Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images",
        size_bytes=163 * MIB,
    ),
    "torchvision:CIFAR100": Known(
        "CIFAR-100",
        "https://www.cs.toronto.edu/~kriz/cifar.html",
        citation="Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images",
        size_bytes=161 * MIB,
    ),
    "torchvision:MNIST": Known(
        "MNIST",
        "http://yann.lecun.com/exdb/mnist/",
        citation="LeCun, Bottou, Bengio and Haffner 1998, doi:10.1109/5.726791",
        size_bytes=11 * MIB,
    ),
    "torchvision:FashionMNIST": Known(
        "Fashion-MNIST",
        "https://github.com/zalandoresearch/fashion-mnist",
        "MIT",
        "Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747",
        30 * MIB,
    ),
    "torchvision:KMNIST": Known(
        "Kuzushiji-MNIST",
        "http://codh.rois.ac.jp/kmnist/",
        "CC-BY-SA-4.0",
        "Clanuwat et al. 2018, arXiv:1812.01718",
        20 * MIB,
    ),
    "torchvision:EMNIST": Known(
        "EMNIST",
        "https://www.nist.gov/itl/products-and-services/emnist-dataset",
        citation="Cohen, Afshar, Tapson and van Schaik 2017, arXiv:1702.05373",
        size_bytes=536 * MIB,
    ),
    "torchvision:Flowers102": Known(
        "Oxford 102 Flowers",
        "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/",
        citation="Nilsback and Zisserman 2008, Automated flower classification over a large number of classes",
        size_bytes=329 * MIB,
    ),
    "torchvision:OxfordIIITPet": Known(
        "Oxford-IIIT Pets",
        "https://www.robots.ox.ac.uk/~vgg/data/pets/",
        "CC-BY-SA-4.0",
        "Parkhi, Vedaldi, Zisserman and Jawahar 2012, Cats and Dogs",
        774 * MIB,
    ),
    "torchvision:Food101": Known(
        "Food-101",
        "https://data.vision.ee.ethz.ch/cvl/datasets_extra/food-101/",
        citation="Bossard, Guillaumin and Van Gool 2014, Food-101, European Conference on Computer Vision",
        size_bytes=4_765 * MIB,
    ),
    "torchvision:SVHN": Known(
        "Street View House Numbers",
        "http://ufldl.stanford.edu/housenumbers/",
        "for non-commercial use only",
        "Netzer et al. 2011, Reading Digits in Natural Images with Unsupervised Feature Learning",
        235 * MIB,
    ),
    "torchvision:STL10": Known(
        "STL-10",
        "https://cs.stanford.edu/~acoates/stl10/",
        citation="Coates, Lee and Ng 2011, An Analysis of Single Layer Networks in Unsupervised Feature Learning",
        size_bytes=2_518 * MIB,
    ),
    "torchvision:DTD": Known(
        "Describable Textures",
        "https://www.robots.ox.ac.uk/~vgg/data/dtd/",
        citation="Cimpoi, Maji, Kokkinos, Mohamed and Vedaldi 2014, arXiv:1311.3618",
        size_bytes=596 * MIB,
    ),
    "torchvision:EuroSAT": Known(
        "EuroSAT",
        "https://github.com/phelber/eurosat",
        "MIT",
        "Helber, Bischke, Dengel and Borth 2019, arXiv:1709.00029",
        90 * MIB,
    ),
    "torchvision:GTSRB": Known(
        "German Traffic Signs",
        "https://benchmark.ini.rub.de/gtsrb_dataset.html",
        citation="Stallkamp, Schlipsing, Salmen and Igel 2012, doi:10.1016/j.neunet.2012.02.016",
        size_bytes=264 * MIB,
    ),
    "torchvision:FGVCAircraft": Known(
        "FGVC-Aircraft",
        "https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/",
        "for non-commercial research only",
        "Maji, Kannala, Rahtu, Blaschko and Vedaldi 2013, arXiv:1306.5151",
        2_626 * MIB,
    ),
    "torchaudio:SPEECHCOMMANDS": Known(
        "Speech Commands",
        "http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
        "CC-BY-4.0",
        "Warden 2018, arXiv:1804.03209",
        2_316 * MIB,
    ),
    "hf:stanfordnlp/sst2": Known(
        "SST-2",
        "https://huggingface.co/datasets/stanfordnlp/sst2",
        citation="Socher et al. 2013, Recursive Deep Models for Semantic Compositionality Over a Sentiment Treebank",
    ),
}
"""Well-known data sets by address."""

PAGES: Final[Mapping[str, str]] = {
    "torchvision": "https://docs.pytorch.org/vision/stable/datasets.html",
    "torchaudio": "https://docs.pytorch.org/audio/stable/datasets.html",
    "hf": "https://huggingface.co/datasets/",
}
"""Where to look for the terms of the others."""


def known_of(spec: DataSpec) -> Known:
    """Return what is known of a data set; where nothing is, the page that says it."""
    page = PAGES[spec.kind] + (spec.place if spec.kind == "hf" else "")
    known = KNOWN.get(spec.address, Known(spec.place, page))
    see = f"see {known.source}"
    return known._replace(licence=known.licence or see, citation=known.citation or see)


def with_known(spec: DataSpec) -> DataSpec:
    """Return the description of data with what is known of them, where the user says nothing else."""
    known, said = known_of(spec), spec.options
    ours = {"title": known.title, "source": known.source, "licence": known.licence, "citation": known.citation}
    update = {option: text for option, text in ours.items() if option not in said.model_fields_set}
    return spec._replace(options=said.model_copy(update=update))
