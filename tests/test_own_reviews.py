"""The shipped classifiers on a reader's own file."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ecomtutor.errors import EcomTutorError, MissingResource
from ecomtutor.finetuning import LabelError, load_classifier
from ecomtutor.finetuning.own_reviews import judge, read_reviews

OTHERS = Path(__file__).resolve().parents[1] / "data" / "experiments" / "other_categories.csv"


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_and_json_lines_and_all_ways_to_write_a_label(tmp_path: Path) -> None:
    csv = written(tmp_path, "a.csv", '\ufefftext,label\n很好,1\n太差,0\n"好, 快",POS\nNA, neg\n')
    found = read_reviews(csv)
    assert found.texts == ["很好", "太差", "好, 快", "NA"]
    assert found.answers.tolist() == [1, 0, 1, 0]
    rows = [{"sentence": "很好", "label": "Positive"}, {"sentence": "太差", "label": "Negative"}]
    lines = written(tmp_path, "b.json", "\n".join(json.dumps(r, ensure_ascii=False) for r in rows))
    assert read_reviews(lines).answers.tolist() == [1, 0]


def test_a_text_counts_once(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "label,review\n1,好\n1,好\n0,差\n")
    assert read_reviews(path).texts == ["好", "差"]


@pytest.mark.parametrize(
    ("name", "text", "error", "told"),
    [
        ("a.csv", "review,stars\n好,5\n", EcomTutorError, "columns review, stars; wanted are"),
        ("a.csv", "text,label\n好,5\n差,0\n", LabelError, "'5' .1 times. is not among"),
        ("a.csv", "text,label\n好,1\n很好,1\n", LabelError, "nothing to tell apart"),
        ("a.csv", "text,label\n好,1\n好,0\n差,0\n", LabelError, "'好' comes with two labels"),
        ("a.csv", "text,label\n好,\n差,0\n", LabelError, "'' .1 times. is not among"),
        ("a.jsonl", "text,label\n", EcomTutorError, "cannot be read as JSON lines"),
        ("a.csv", "", EcomTutorError, "cannot be read as CSV"),
    ],
)
def test_what_is_no_table_of_reviews_is_told(
    name: str, text: str, error: type[Exception], told: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=told):
        read_reviews(written(tmp_path, name, text))


def test_other_encodings_and_missing_files_are_told(tmp_path: Path) -> None:
    path = tmp_path / "gbk.csv"
    path.write_bytes("text,label\n很好,1\n太差,0\n".encode("gbk"))
    with pytest.raises(EcomTutorError, match="in UTF-8"):
        read_reviews(path)
    with pytest.raises(MissingResource, match=r"no file none\.csv"):
        read_reviews(tmp_path / "none.csv")


def test_the_figures_are_those_of_the_predictions() -> None:
    given, classifier = read_reviews(OTHERS), load_classifier("zh")
    lines = "\n".join(judge(classifier, given))
    said = classifier.predict_proba(given.texts)[:, 1]
    good = given.answers == 1
    hits = ((said >= 0.5) == good).mean()
    assert f"60 distinct reviews, 50% positive: accuracy {hits:.3f}" in lines
    alarms, missed = int((good & (said < 0.5)).sum()), int((~good & (said >= 0.5)).sum())
    assert f"{alarms} positive ones called negative, {missed} negative ones" in lines
    threshold, best = map(
        float, re.findall(r"from (0\.\d+) on instead of 0\.50: (0\.\d+)", lines)[0]
    )
    assert best >= hits
    assert ((said >= threshold) == good).mean() == pytest.approx(best, abs=0.02)


def test_the_command_prints_them() -> None:
    command = [sys.executable, "-m", "ecomtutor.finetuning", "evaluate", "shop-sentiment-zh"]
    run = subprocess.run([*command, "--file", str(OTHERS)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "60 distinct reviews" in run.stdout
