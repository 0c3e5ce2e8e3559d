"""A student and a teacher at a real JupyterLab in a real Chromium, without a network.

What is typed, clicked and read here is what a reader types, clicks and reads. Nothing waits for a
time that somebody guessed: each step waits for what the reader would wait for.
"""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_lab import CHROMIUM, PALE, PATIENCE_MS, ROOT, Lab, Notebook, Watched

from ecomtutor.authoring.decks import layout

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: pip install playwright"
)

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
LESSON = "01_attention_math.ipynb"
WRONG = "battery_weights = [2, 4, 0]"
RIGHT = "battery_weights = [0.24, 0.67, 0.09]"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    started = Lab(tmp_path_factory.mktemp("browser") / "a class 课")
    try:
        started.wait()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def chromium(lab: Lab) -> Iterator[Any]:
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(
            executable_path=lab.browser_path(), args=list(layout.FLAGS[1:]), timeout=PATIENCE_MS
        )
        yield browser
        browser.close()


@pytest.fixture
def watched(lab: Lab, chromium: Any, request: Any) -> Iterator[Watched]:
    """A page in the theme that the test's parameter names; whatever went wrong in it is told."""
    theme = getattr(request, "param", "light")
    lab.set_theme(THEMES[theme])
    page = Watched(chromium, lab, re.sub(r"\W+", "-", request.node.name))
    yield page
    page.close()


def assert_clean(watched: Watched) -> None:
    assert not watched.away, f"asked of other machines: {watched.away}"
    assert not watched.errors, "\n".join(watched.errors)


def pale(locator: Any) -> list[str]:
    """Text that can hardly be read, wherever the locator finds something."""
    return [each for root in locator.all() for each in root.evaluate(PALE)]


@pytest.mark.parametrize("watched", THEMES, indirect=True)
def test_a_student_goes_through_lesson_01(watched: Watched, lab: Lab) -> None:
    shutil.copy(ROOT / "notebooks" / LESSON, lab.notebooks)
    shutil.rmtree(lab.data, ignore_errors=True)
    page = watched.open_lab()
    lesson = watched.open_notebook(LESSON)
    dark = page.evaluate("document.body.dataset.jpThemeLight") == "false"
    assert dark == ("dark" in watched.name)
    lesson.run_all()
    assert "⬜ Exercise 01.1" in lesson.said("l01-exercise-1-check")
    assert lesson.panel.locator("[data-mime-type$=stderr], [data-mime-type$=error]").count() == 0

    lesson.replace("l01-exercise-1-answer", WRONG)
    lesson.run("l01-exercise-1-answer")
    said = lesson.read("l01-exercise-1-check")
    assert "❌ Exercise 01.1" in said and "raw scores" in said
    lesson.insert_below("l01-exercise-1-check", "hint", 'hint("01.1")')
    assert "hint 1 of 2: Multiply the query of battery" in lesson.read("hint")
    lesson.replace("l01-exercise-1-answer", RIGHT)
    lesson.run("l01-exercise-1-answer")
    assert "✅ Exercise 01.1" in lesson.read("l01-exercise-1-check")
    lesson.insert_below("hint", "progress", 'progress("01")')
    said = lesson.read("progress")
    assert re.search(r"01\.1\s+Where does battery look\?\s+✅ done\s+2\s+1 of 2", said), said
    assert "1 of 5 exercises done, 2 of 15 points." in said
    saved = json.loads((lab.data / "progress.json").read_text("utf-8"))["exercises"]
    assert saved == {"01.1": {"done": True, "tries": 2, "hints": 1, "solution_seen": False}}

    assert not pale(lesson.panel.locator(".jp-OutputArea-output, .jp-MarkdownOutput"))
    assert_clean(watched)


# What a reader does to each explorer, and what must then stand in it. "key" presses a key on a
# control, "drag" pulls its handle to the right end with the mouse, "choose" takes an entry of a
# list and "pick" does so by keyboard: with Space, for on a closed list JupyterLab takes the arrow
# keys for itself. "type" writes over a text and leaves the box; "press" and "enter" are a button by
# mouse and by keyboard.
STEPS: dict[str, list[tuple[str, str, str, str]]] = {
    "attention": [
        ("key", "Divide the scores by √d_k", "Space", "hardly any gradient passes"),
        ("drag", "Temperature", "5.00", "The queries mix their keys"),
        ("key", "Length d_k", "Home", r"largest weight is 0\.32"),
        ("choose", "Mask", "causal: no look ahead", "A dash is a masked key"),
        ("pick", "Review", "ArrowDown", "音.*nearly equal"),
    ],
    "cost": [
        ("key", "Tokens", "End", "the attention maps cost most"),
        ("drag", "Width", "2,048", "2048 .*cannot be shared"),
        ("key", "Heads", "Home", "the attention maps cost most"),
    ],
    "tokenizer": [
        ("type", "Text", "AB 防水", "5 characters"),
        ("key", "Lower case first", "Space", "ab 0–2"),
        ("pick", "Tokenizer", "ArrowDown", "tokens? of the 512"),
    ],
    "fill_in": [
        ("key", "Hide token", "ArrowRight", "Token 7 of"),
        ("drag", "Hide token", "", r"Token (\d+) of \1,"),
        ("type", "Text", "书不错", "Token 3 of 3, 错"),
    ],
    "decoding": [
        ("choose", "Model", "中文: shop-gpt-mini", "酒店的房间"),
        ("drag", "Top-k (0: all)", "50", "50 of .* tokens are left"),
        ("key", "Temperature", "End", "50 of .* tokens are left"),
        ("key", "Top-p", "Home", "Only|tokens are left"),
        ("type", "Prompt", "The room", "The room"),
        ("key", "Seed", "ArrowUp", "The room"),
    ],
    "explanation": [
        ("pick", "Method", "ArrowDown", "speaks most"),
        ("choose", "Method", "LIME", "speaks most"),
        ("drag", "Budget", "2000", "speaks most"),
        ("key", "Budget", "Home", "speaks most"),
        ("type", "Text", "书很好", "书"),
    ],
    "recommendation": [
        ("choose", "Household", "7", "Household 7, next purchases"),
        ("pick", "Task", "ArrowDown", "Household 7, discovery"),
        ("choose", "Places", "3", "Household 7, discovery"),
        ("type", "A need", "蓝牙耳机 300元以内", "“蓝牙耳机 300元以内”"),
    ],
    "threshold": [
        ("key", "Threshold", "ArrowRight", r"0\.51"),
        ("drag", "Threshold", "0.99", r"0\.99"),
        ("drag", "A miss costs", "100", r"0\.99.*200"),
        ("key", "A miss costs", "Home", r"0\.99"),
        ("press", "Complaint", "", "You labelled 1; the published label agrees on 1"),
        ("enter", "No complaint", "", "You labelled 2; the published label agrees on 1"),
    ],
    "desk": [
        ("pick", "Found by", "End", "page 2"),
        ("choose", "Passages", "1", "page 0"),
        ("drag", "Stricter by", "10.00", "at least −90.00 is needed"),
        ("type", "Question", "120 red", "120 red"),
    ],
}
SEEN = "root => [...root.querySelectorAll('.widget-html')].map(e => e.textContent).join(' ')"
CHANGED = f"([root, before]) => ({SEEN})(root) !== before"


class Explorer:
    """A live explorer in the output of its cell, worked as a reader does it."""

    def __init__(self, notebook: Notebook, name: str) -> None:
        self.page = notebook.page
        self.root = notebook.outputs(name).locator(".jupyter-widgets.widget-vbox").first
        self.root.wait_for(state="attached")
        self.root.scroll_into_view_if_needed()

    def control(self, label: str) -> Any:
        """The widget with that label, or the button with that text."""
        words = re.compile(rf"^\s*{re.escape(label)}\s*$")
        button = self.root.locator("button", has_text=words)
        if button.count():
            return button
        return self.root.locator("label", has_text=words).locator("xpath=..")

    def focusable(self, label: str) -> Any:
        """What of a control takes the keyboard."""
        control = self.control(label)
        if control.evaluate("node => node.matches('button')"):
            return control
        return control.locator(".noUi-handle, select, textarea, input").first

    def do(self, how: str, label: str, what: str, then: str) -> None:
        """One step of STEPS: the view must change, and then say what is expected."""
        before = self.root.evaluate(SEEN)
        if how == "drag":
            self._drag(label, what)
        elif how == "press":
            self.control(label).click()
        elif how == "choose":
            self.focusable(label).select_option(label=what)
        elif how == "type":
            self.focusable(label).click()
            self.page.keyboard.press("Control+a")
            self.page.keyboard.type(what)
            self.page.keyboard.press("Tab")
        else:
            self.focusable(label).focus()
            keys = {"enter": ["Enter"], "pick": ["Space", what, "Enter"]}.get(how, [what])
            for key in keys:
                self.page.keyboard.press(key)
        root = self.root.element_handle()
        self.page.wait_for_function(CHANGED, arg=[root, before])
        text = re.compile(then, re.DOTALL)
        playwright.expect(self.root).to_contain_text(text, timeout=PATIENCE_MS)

    def _drag(self, label: str, end: str) -> None:
        handle = self.control(label).locator(".noUi-handle")
        handle.scroll_into_view_if_needed()
        at = handle.bounding_box()
        rail = self.control(label).locator(".noUi-target").bounding_box()
        middle = at["y"] + at["height"] / 2
        self.page.mouse.move(at["x"] + at["width"] / 2, middle)
        self.page.mouse.down()
        self.page.mouse.move(rail["x"] + rail["width"] + 20, middle, steps=3)
        self.page.mouse.up()
        readout = self.control(label).locator(".widget-readout")
        playwright.expect(readout).to_contain_text(end, timeout=PATIENCE_MS)

    def reached_by_tab(self, labels: set[str]) -> set[str]:
        """Which of the controls the Tab key comes to, from the first one on."""
        reached: set[str] = set()
        self.root.locator(".noUi-handle, select, textarea, input, button").first.focus()
        for _ in range(4 * len(labels) + 8):
            for label in labels - reached:
                if self.focusable(label).evaluate("node => node === document.activeElement"):
                    reached.add(label)
            self.page.keyboard.press("Tab")
        return reached


@pytest.fixture(scope="module")
def explorers(lab: Lab, chromium: Any) -> Iterator[tuple[Watched, Notebook]]:
    """A notebook with a cell for each explorer, run, in a light page; one kernel for all."""
    import nbformat

    names = [*STEPS, "quiz"]
    cells = [
        nbformat.v4.new_code_cell("from small_explorers import EXPLORERS", id="imports"),
        *(nbformat.v4.new_code_cell(f"EXPLORERS[{name!r}]()", id=name) for name in names),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(book, lab.notebooks / "explorers.ipynb")
    lab.set_theme(THEMES["light"])
    watched = Watched(chromium, lab, "explorers")
    watched.open_lab()
    notebook = watched.open_notebook("explorers.ipynb")
    notebook.run_all()
    yield watched, notebook
    watched.close()


def test_every_explorer_of_the_course_is_tried() -> None:
    from ecomtutor import widgets

    tried = {"service_desk" if name == "desk" else f"{name}_explorer" for name in STEPS}
    assert tried | {"quiz"} == set(widgets.__all__)


@pytest.mark.parametrize("name", STEPS)
def test_an_explorer_answers_mouse_and_keyboard(explorers: Any, name: str) -> None:
    watched, notebook = explorers
    explorer = Explorer(notebook, name)
    for step in STEPS[name]:
        explorer.do(*step)
    labels = {label for _, label, _, _ in STEPS[name]}
    assert explorer.reached_by_tab(labels) == labels
    assert not pale(notebook.outputs(name))
    assert_clean(watched)


def test_a_quiz_answers_mouse_and_keyboard(explorers: Any) -> None:
    from ecomtutor.exercises.registry import load_lesson

    watched, notebook = explorers
    quiz = Explorer(notebook, "quiz")
    questions = load_lesson("01").quiz
    for number, question in enumerate(questions, 1):
        asked = quiz.root.locator(":scope > .widget-vbox").nth(number - 1)
        right = [place for place, option in enumerate(question.options) if option.right]
        before = quiz.root.evaluate(SEEN)
        if question.several:
            for place in right:
                asked.locator("input[type=checkbox]").nth(place).press("Space")
            asked.locator("button").click()
        elif number % 2:
            asked.locator("button").nth(right[0]).click()
        else:
            asked.locator("button").nth(right[0]).press("Enter")
        playwright.expect(asked).to_contain_text("✓ Right.", timeout=PATIENCE_MS)
        assert "✓ Right." not in before or number > 1
    whole = f"{len(questions)} of {len(questions)} right at the first try."
    playwright.expect(quiz.root).to_contain_text(whole, timeout=PATIENCE_MS)
    assert_clean(watched)


def test_explorers_and_quiz_are_read_in_the_dark_too(explorers: Any) -> None:
    watched, notebook = explorers
    notebook.menu("Settings", "Theme", "JupyterLab Dark")
    dark = "document.body.dataset.jpThemeLight === 'false'"
    watched.page.wait_for_function(dark)
    views = notebook.panel.locator(".jp-OutputArea-output")
    assert views.count() == len(STEPS) + 1 and not pale(views)
    assert_clean(watched)


def exported(path: Path, folder: Path, **settings: Any) -> Path:
    """A notebook as a page of HTML, as `jupyter nbconvert --to html` makes it."""
    from nbconvert import HTMLExporter

    body, _ = HTMLExporter(**settings).from_filename(str(path))
    page = folder / f"{path.stem}.html"
    page.write_text(body, encoding="utf-8")
    return page


def assert_static_views(chromium: Any, page_path: Path, views: int) -> None:
    """Every output of an exported page is there to read without a kernel, a script or the web."""
    context = chromium.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(page_path.as_uri(), wait_until="commit")
    page.locator("body").wait_for(timeout=PATIENCE_MS)
    outputs = page.locator(".jp-OutputArea-output")
    playwright.expect(outputs).to_have_count(views, timeout=PATIENCE_MS)
    for output in outputs.all():
        assert output.evaluate("node => node.querySelector('table, details, mark') !== null")
        box = output.bounding_box()
        assert box["height"] > 100 and len(output.inner_text()) > 200
        assert "widget-view" not in output.inner_html()
    context.close()


def test_the_lessons_explorers_and_quizzes_stand_in_exported_html(
    chromium: Any, tmp_path: Path
) -> None:
    import nbformat

    cells = [
        cell
        for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code"
        and re.search(r"^(\w+_explorer|service_desk|quiz)\(", cell.source, re.MULTILINE)
    ]
    lessons = len(list((ROOT / "notebooks").glob("*.ipynb")))
    assert len(cells) > lessons, "a quiz in each lesson, and explorers"
    path = tmp_path / "lessons.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    assert_static_views(chromium, exported(path, tmp_path), len(cells))


def test_a_notebook_saved_with_live_explorers_is_exported_with_static_ones(
    explorers: Any, chromium: Any, tmp_path: Path
) -> None:
    watched, notebook = explorers
    notebook.save('"application/vnd.jupyter.widget-view+json"', len(STEPS) + 1)
    assert_static_views(chromium, exported(notebook.path, tmp_path), len(STEPS) + 1)
    assert_clean(watched)


def test_a_notebook_run_by_nbconvert_is_exported_with_static_explorers(
    chromium: Any, tmp_path: Path
) -> None:
    import nbformat
    from nbconvert.preprocessors import ExecutePreprocessor

    code = "from ecomtutor import widgets\nwidgets.cost_explorer()", "widgets.quiz('01')"
    cells = [nbformat.v4.new_code_cell(each) for each in code]
    book = nbformat.v4.new_notebook(cells=cells)
    ExecutePreprocessor(kernel_name="python3").preprocess(book, {})
    path = tmp_path / "run.ipynb"
    nbformat.write(book, path)
    assert_static_views(chromium, exported(path, tmp_path), len(cells))
