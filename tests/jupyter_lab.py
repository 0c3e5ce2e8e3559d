"""A real JupyterLab with a real Chromium in front of it, both without a network.

The server, its kernels and the browser live in one empty network namespace where the system can
make one; elsewhere the browser alone is cut off. Whatever the page asks of another machine is
refused and noted.
"""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from test_offline import ISOLATED, no_namespace

from ecomtutor.authoring.decks import layout

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = next(filter(None, map(shutil.which, layout._BROWSERS)), None)
# The machine may be busy: what is waited for comes as soon as it is there, and late is not wrong.
PATIENCE_MS = 180_000
SETTINGS = {
    "themes": {"theme": "JupyterLab Light"},
    # A newcomer answers this question once; it is the only one that JupyterLab asks.
    "notification": {"fetchNews": "false"},
}

# Text whose colour stands out less than 3 : 1 from what is painted behind it, as a list.
PALE = r"""root => {
  const parse = text => {
    const n = text.match(/[\d.]+/g).map(Number);
    const unit = text.startsWith('color(') ? 255 : 1;
    return [...n.slice(0, 3).map(v => v * unit), n.length > 3 ? n[3] : 1];
  };
  const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3]));
  const behind = element => {
    const papers = [];
    for (let up = element; up; up = up.parentElement) {
      const paper = parse(getComputedStyle(up).backgroundColor);
      if (paper[3] > 0) papers.push(paper);
      if (paper[3] === 1) break;
    }
    return papers.reduceRight((under, paper) => over(paper, under), [255, 255, 255]);
  };
  const light = colour => {
    const [r, g, b] = colour.map(v => v / 255).map(
      v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, words = walker.currentNode.textContent.trim();
    if (!words || element.closest('svg, style, script, mjx-container, option')) continue;
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const paper = behind(element), style = getComputedStyle(element);
    const ink = over(parse(style.color), paper);
    const [low, high] = [light(ink), light(paper)].sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 3) found.push(`${ratio.toFixed(1)}: ${words.slice(0, 40)}`);
  }
  return found;
}"""


class Lab:
    """A JupyterLab server over a scratch folder, with places of its own for all that it keeps."""

    def __init__(self, home: Path) -> None:
        self.home, self.notebooks = home, home / "notebooks"
        self.notebooks.mkdir(parents=True)
        self.data = home / "progress"
        self.isolated = bool(shutil.which("nsenter")) and not no_namespace()
        self.port, self.token = _free_port(), secrets.token_hex(16)
        self.url = f"http://127.0.0.1:{self.port}"
        self.set_theme("JupyterLab Light")
        words = [
            *("-m", "jupyter", "lab", "--no-browser", "--allow-root", f"--port={self.port}"),
            *("--ServerApp.port_retries=0", f"--IdentityProvider.token={self.token}"),
            f"--ServerApp.root_dir={self.notebooks}",
        ]
        away = ["unshare", "--map-root-user", "--net", sys.executable, "-c", ISOLATED]
        command = [*(away if self.isolated else [sys.executable]), *words]
        with (home / "server.log").open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=home, env=self._environment(), stdout=log, stderr=log
            )

    def _environment(self) -> dict[str, str]:
        """As `ecomtutor lab` sets it, but nothing of this machine's user is read or written."""
        places = {
            "ECOMTUTOR_DATA": self.data,
            "JUPYTER_CONFIG_DIR": self.home / "config",
            "JUPYTER_DATA_DIR": self.home / "data",
            "JUPYTER_RUNTIME_DIR": self.home / "runtime",
            "JUPYTERLAB_SETTINGS_DIR": self.home / "settings",
            "JUPYTERLAB_WORKSPACES_DIR": self.home / "workspaces",
            "IPYTHONDIR": self.home / "ipython",
            "PYTHONPATH": ROOT / "tests",
        }
        return {
            "OMP_WAIT_POLICY": "PASSIVE",
            "OMP_NUM_THREADS": "1",
            **os.environ,
            **{name: str(place) for name, place in places.items()},
        }

    def set_theme(self, theme: str) -> None:
        folder = self.home / "settings" / "@jupyterlab" / "apputils-extension"
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in {**SETTINGS, "themes": {"theme": theme}}.items():
            (folder / f"{name}.jupyterlab-settings").write_text(json.dumps(content))

    def wait(self) -> None:
        """Until the server answers, by the file that it writes when it listens."""
        end = time.monotonic() + PATIENCE_MS / 1000
        while not list((self.home / "runtime").glob("jpserver-*.json")):
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"JupyterLab did not start:\n{self.log()[-3000:]}")
            time.sleep(0.2)

    def browser_path(self) -> str:
        """Chromium, started where the server is."""
        if not self.isolated:
            return str(CHROMIUM)
        script = self.home / "chromium"
        enter = f"nsenter --preserve-credentials --user --net --target {self.process.pid}"
        script.write_text(f'#!/bin/sh\nexec {enter} -- "{CHROMIUM}" "$@"\n')
        script.chmod(0o755)
        return str(script)

    def log(self) -> str:
        return (self.home / "server.log").read_text("utf-8", "replace")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Watched:
    """A page of JupyterLab, what it asked of other machines, and what went wrong in it."""

    def __init__(self, browser: Any, lab: Lab, name: str) -> None:
        self.lab, self.name = lab, name
        self.context = browser.new_context(viewport={"width": 1300, "height": 900})
        self.context.set_default_timeout(PATIENCE_MS)
        self.away: list[str] = []
        self.errors: list[str] = []
        self.context.route(lambda url: not self._ours(url), self._refuse)
        self.context.on("page", self._watch)
        self.page = self.context.new_page()

    def _watch(self, page: Any) -> None:
        page.on("pageerror", lambda error: self.errors.append(f"page error: {error}"))
        page.on("console", self._console)
        page.on("response", self._response)
        page.on("websocket", lambda each: self._ours(each.url) or self.away.append(each.url))

    def _ours(self, url: str) -> bool:
        local = f"127.0.0.1:{self.lab.port}/"
        return url.startswith(("data:", "blob:", "about:", f"http://{local}", f"ws://{local}"))

    def _refuse(self, route: Any) -> None:
        self.away.append(route.request.url)
        route.abort()

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(f"console: {message.text} ({message.location.get('url')})")

    def _response(self, answer: Any) -> None:
        if answer.status >= 400:
            self.errors.append(f"{answer.status}: {answer.url}")

    def open_lab(self) -> Any:
        self.page.goto(f"{self.lab.url}/lab/workspaces/{self.name}?token={self.lab.token}")
        self.page.locator(".jp-DirListing-content").wait_for()
        return self.page

    def open_notebook(self, name: str) -> "Notebook":
        """As a student does: a double click in the list of files."""
        self.page.locator(".jp-DirListing-item", has_text=name).dblclick()
        notebook = Notebook(self.page, self.lab.notebooks / name)
        notebook.wait_until_idle()
        return notebook

    def close(self) -> None:
        """Close the page and end the kernels that it started."""
        self.page.evaluate(
            """async token => {
              const headers = { Authorization: `token ${token}` };
              const open = await (await fetch('/api/sessions', { headers })).json();
              for (const each of open) {
                await fetch(`/api/sessions/${each.id}`, { method: 'DELETE', headers });
              }
            }""",
            self.lab.token,
        )
        self.context.close()


class Notebook:
    """A notebook that is open in JupyterLab: its cells by their ids, and what a reader does."""

    def __init__(self, page: Any, path: Path) -> None:
        self.page, self.path = page, path
        cells = json.loads(path.read_text("utf-8"))["cells"]
        self.places = {cell["id"]: place for place, cell in enumerate(cells)}
        self.panel = page.locator(".jp-NotebookPanel:visible")
        self.counted = sum(bool(cell.get("execution_count")) for cell in cells)

    def wait_until_idle(self) -> None:
        """Until a kernel has answered and has nothing to do."""
        self.cell(next(iter(self.places))).wait_for()
        said = self.page.locator("#jp-main-statusbar").get_by_text(re.compile(r"\| Idle$"))
        said.wait_for()

    def cell(self, name: str) -> Any:
        """A cell that stands in the file."""
        return self.panel.locator(f'.jp-Cell[data-windowed-list-index="{self.places[name]}"]')

    def outputs(self, name: str) -> Any:
        return self.cell(name).locator(".jp-Cell-outputArea")

    def said(self, name: str) -> str:
        """What a reader reads below a cell, once it is drawn: out of sight it is not."""
        outputs = self.outputs(name)
        outputs.scroll_into_view_if_needed()
        self.page.wait_for_function("node => node.innerText.trim()", arg=outputs.element_handle())
        return str(outputs.inner_text())

    def menu(self, *names: str) -> None:
        """Choose in the menu bar with the mouse."""
        first, *others = names
        self.page.locator(".lm-MenuBar-item", has_text=re.compile(f"^{first}$")).click()
        for name in others:
            self.page.locator(".lm-Menu-item", has_text=re.compile(f"^{name}$")).last.click()

    def run_all(self) -> None:
        """Run all cells from the menu, and wait until the last one has run."""
        last = self.panel.locator(".jp-CodeCell").last
        before = self.counted
        self.menu("Run", "Run All Cells")
        if before:  # the numbers of the last time are still there
            last.locator(".jp-InputPrompt", has_text="[*]").wait_for(state="attached")
        last.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]")).wait_for(state="attached")
        self.wait_until_idle()
        self.counted = self.panel.locator(".jp-CodeCell").count()

    def replace(self, name: str, text: str) -> None:
        """Type over the text of a code cell."""
        self.cell(name).locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def read(self, name: str) -> str:
        """Run a cell, and read what it says."""
        self.run(name)
        return self.said(name)

    def run(self, name: str) -> None:
        """Run a cell with the keyboard, and wait for it."""
        cell = self.cell(name)
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        self.counted += 1
        cell.locator(".jp-InputPrompt", has_text=f"[{self.counted}]").wait_for()

    def insert_below(self, name: str, new: str, text: str) -> None:
        """A new cell with a text, by the keyboard of command mode."""
        self.cell(name).locator(".jp-InputPrompt").click()
        for key in ("Escape", "b", "Enter"):
            self.page.keyboard.press(key)
        place = self.places[name] + 1
        self.places = {each: at + (at >= place) for each, at in self.places.items()}
        self.places[new] = place
        self.replace(new, text)

    def save(self, holds: str, times: int) -> str:
        """Save by the keyboard, until the file holds a text so many times; the file's text."""
        end = time.monotonic() + PATIENCE_MS / 1000
        self.page.keyboard.press("Control+s")
        while (text := self.path.read_text("utf-8")).count(holds) != times:
            if time.monotonic() > end:
                raise RuntimeError(f"{self.path.name} holds {holds} {text.count(holds)} times")
            self.page.wait_for_timeout(200)
        return text


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
