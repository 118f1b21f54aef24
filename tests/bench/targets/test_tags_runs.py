"""Tags of a file shaped like CoNLL-2003 are learnt by networks, scored as seqeval does, exported and predicted."""

import json
from pathlib import Path

import numpy as np
import pytest
from seqeval.metrics import accuracy_score, f1_score

from bench.cell import Result
from bench.cli import main
from bench.column import Column, Ragged
from bench.results.store import Store
from tests.bench.backbones.huggingface.snapshots import write_text_model
from tests.bench.targets.running import Run, exported, predicted, run

NAMES = ("O", "B-LOC", "B-PER", "I-PER")
DOCUMENTS = 12


def sentences(seed: int = 0) -> list[list[list[tuple[str, str]]]]:
    """Return documents of sentences of words with their tags in BIO; a word tells its tag, but not its beginning."""
    generator = np.random.default_rng(seed)
    documents: list[list[list[tuple[str, str]]]] = []
    for _ in range(DOCUMENTS):
        documents.append([])
        for _ in range(4):
            pairs = []
            for _ in range(generator.integers(1, 5)):
                pairs += [(f"w{generator.integers(5, 20)}", "O")] * int(generator.integers(1, 3))
                if generator.random() < 0.5:
                    pairs += [(f"w{generator.integers(20, 25)}", "B-PER"), (f"w{generator.integers(25, 30)}", "I-PER")]
                elif generator.random() < 0.5:
                    pairs.append((f"w{generator.integers(30, 35)}", "B-LOC"))
            documents[-1].append(pairs)
    return documents


def write_conll(path: Path) -> None:
    """Write documents as CoNLL-2003 has them: four columns, and tags in IOB1."""
    lines = []
    for document in sentences():
        lines += ["-DOCSTART- -X- -X- O", ""]
        for pairs in document:
            lines += [f"{word} NN I-NP {tag.replace('B-', 'I-')}" for word, tag in pairs] + [""]
    path.write_text("\n".join(lines))


def write_json_lines(path: Path) -> None:
    records = [
        {"tokens": [word for word, _ in pairs], "tags": [tag for _, tag in pairs]}
        for document in sentences()
        for pairs in document
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def named(column: Column) -> list[list[str]]:
    assert isinstance(column, Ragged)
    return [[NAMES[tag] for tag in column.of("tag", row)] for row in range(len(column))]


def assert_scored_as_by_seqeval(ran: Run) -> None:
    truth = named(ran.tested.labels)
    for strategy, result in ran.results.items():
        found = named(ran.predictions[strategy])
        assert result.score == pytest.approx(f1_score(truth, found, zero_division=0))
        assert result.scores.values["token_accuracy"] == pytest.approx(accuracy_score(truth, found))
        assert result.chance == 0


def test_tags_of_documents_are_learnt_scored_and_predicted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_conll(Path("news.conll"))
    backbone = f"hf:{write_text_model(Path('bert'), 'bert')}"
    ran = run("conll:news.conll", backbone)
    assert set(ran.results) == {"scratch", "linear_probe", "full"}, "there is no classical model of tags to be run"
    asked = ["--data", "conll:news.conll", "--backbone", backbone, "--strategy", "classical", "--dry-run"]
    assert main(["run", *asked]) == 2
    refusal = "nothing is left to be run: news: left out classical: there is no classical model that predicts tags"
    assert refusal in capsys.readouterr().err
    assert_scored_as_by_seqeval(ran)
    assert ran.results["linear_probe"].score > 0.5
    groups = ran.tested.rows["group"]
    assert len(set(groups.tolist())) == DOCUMENTS // 4
    assert all(isinstance(outcome, Result) for outcome in Store(Path("results/news")).outcomes().values())
    assert "entity F1" in ran.report
    tested = [words for words, _ in by_name(ran, Path("news.conll"))]
    for strategy in ("linear_probe", "full", "scratch"):
        asked = [option for words in tested for option in ("--text", " ".join(words))]
        answers = predicted(exported(strategy), capsys, *asked)
        assert [answer["words"] for answer in answers] == [list(words) for words in tested]
        assert [answer["tags"] for answer in answers] == named(ran.predictions[strategy])


def by_name(ran: Run, path: Path) -> list[tuple[list[str], list[str]]]:
    """Return words and tags of the tested sentences, found in the file by the names of the examples."""
    lines = path.read_text().split("\n")
    found = []
    for name in ran.tested.rows["name"]:
        start = int(name.removeprefix("line ")) - 1
        rows = [line.split() for line in lines[start : lines.index("", start)]]
        found.append(([row[0] for row in rows], [row[-1] for row in rows]))
    return found


def test_lines_of_json_are_the_same_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_json_lines(Path("news.jsonl"))
    ran = run(
        "csv:news.jsonl",
        f"hf:{write_text_model(Path('bert'), 'bert')}",
        "--strategy",
        "linear_probe",
        "--strategy",
        "full",
    )
    assert_scored_as_by_seqeval(ran)
    assert ran.results["linear_probe"].score > 0.5


def test_backbones_are_ranked_for_tags_over_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_conll(Path("news.conll"))
    backbones = [f"hf:{write_text_model(Path(kind), kind)}" for kind in ("bert", "distilbert")]
    assert main(["rank", "--data", "conll:news.conll", "--backbones", *backbones]) == 0
    assert "LogME of frozen features on 36 labelled sentences" in capsys.readouterr().out
