"""Answers to exercise 03.2 that attack the grader, with the verdict that each must get."""

from __future__ import annotations

RIGHT = """
def tokens_of(word, offsets):
    start, end = word
    return [n for n, (a, b) in enumerate(offsets) if a < end and b > start]
"""


def _inside(*lines: str) -> str:
    """A wrong answer that does something first."""
    body = "".join(f"    {line}\n" for line in lines)
    return f"def tokens_of(word, offsets):\n{body}    return [0]\n"


WRONG = "differs first"  # what the check says of [0], whatever the answer did before
LENGTH = "elements; expected"

# name: source, statuses that are right, what the reason must contain
HOSTILE: dict[str, tuple[str, str, str]] = {
    "endless loop": (_inside("while True: pass"), "timed out", "did not finish"),
    "endless cell": ("while True:\n    pass", "timed out", "did not finish"),
    "swallows the alarm": (
        _inside(
            "while True:",
            "    try:",
            "        while True: pass",
            "    except BaseException:",
            "        pass",
        ),
        "timed out",
        "did not finish",
    ),
    "disarms the clock": (
        _inside(
            "import signal",
            "for number in (signal.SIGPROF, signal.SIGALRM, signal.SIGXCPU):",
            "    signal.signal(number, signal.SIG_IGN)",
            "signal.setitimer(signal.ITIMER_PROF, 0)",
            "signal.setitimer(signal.ITIMER_REAL, 0)",
            "while True: pass",
        ),
        "timed out",
        "did not finish",
    ),
    "sleeps": (_inside("import time", "time.sleep(3600)"), "timed out", "did not finish"),
    "fork bomb": (_inside("import os", "while True: os.fork()"), "fail", "PermissionError"),
    "spawns": (
        _inside("import subprocess", "subprocess.run(['/bin/sh', '-c', 'true'])"),
        "fail",
        "PermissionError",
    ),
    "becomes a shell": (
        _inside("import os", "os.execv('/bin/sh', ['sh'])"),
        "fail",
        "PermissionError",
    ),
    "multiprocessing": (
        _inside("import multiprocessing", "multiprocessing.Process(target=print).start()"),
        "fail",
        "PermissionError",
    ),
    "thread bomb": (
        _inside(
            "import threading, time",
            "threading.stack_size(32 * 1024 * 1024)",
            "while True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
        ),
        "fail",
        "start new thread",
    ),
    "memory bomb": (_inside("bytearray(10 ** 11)"), "fail", "MemoryError"),
    "memory by and by": (
        _inside("kept = []", "while True: kept.append(bytearray(50_000_000))"),
        "fail",
        "MemoryError",
    ),
    "file in memory": (
        _inside("import os", "os.memfd_create('x')"),
        "fail",
        "PermissionError",
    ),
    "raises its limits": (
        _inside(
            "import resource",
            "resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)",
        ),
        "fail",
        "ValueError",
    ),
    "ends the process": (_inside("import os", "os._exit(0)"), "crashed", "exit code 0"),
    "ends at once": ("import os\nos._exit(0)", "crashed", "exit code 0"),
    "kills itself": (
        _inside("import os", "os.kill(os.getpid(), 9)"),
        "crashed",
        "SIGKILL",
    ),
    "segfault": (_inside("import ctypes", "ctypes.string_at(8)"), "crashed", "SIGSEGV"),
    "kills its parent": (
        _inside("import os", "os.kill(os.getppid(), 9)"),
        "fail",
        "PermissionError",
    ),
    "kills everybody": (_inside("import os", "os.kill(-1, 9)"), "fail", "PermissionError"),
    "reads its parent": (
        _inside("import os", "open(f'/proc/{os.getppid()}/mem', 'rb').read(1)"),
        "fail",
        "PermissionError",
    ),
    "traces its parent": (
        _inside(
            "import ctypes, os",
            "libc = ctypes.CDLL(None, use_errno=True)",
            "if libc.ptrace(16, os.getppid(), 0, 0): raise OSError(ctypes.get_errno(), 'ptrace')",
        ),
        "fail",
        "Error",
    ),
    "new namespace": (
        _inside(
            "import ctypes",
            "libc = ctypes.CDLL(None, use_errno=True)",
            "if libc.unshare(0x10000000): raise OSError(ctypes.get_errno(), 'unshare')",
        ),
        "fail",
        "PermissionError",
    ),
    "deletes the package": (
        _inside("import os, ecomtutor", "os.remove(ecomtutor.__file__)"),
        "fail",
        "Read-only file system",
    ),
    "deletes everything": (
        _inside(
            "import os, shutil",
            "for place in ('/etc', '/dev', '/scratch', os.path.dirname(os.__file__) + '/json'):",
            "    shutil.rmtree(place, ignore_errors=True)",
        ),
        "fail",
        LENGTH,
    ),
    "writes to the system": (
        _inside("open('/proc/sys/kernel/hostname', 'w').write('mine')"),
        "fail",
        "Read-only file system",
    ),
    "shared memory folder": (
        _inside("open('/dev/shm/note', 'w').write('the answer')"),
        "fail",
        "Read-only file system",
    ),
    "shared memory": (
        _inside(
            "import ctypes",
            "libc = ctypes.CDLL(None, use_errno=True)",
            "if libc.shmget(7, 4096, 0o1666) < 0: raise OSError(ctypes.get_errno(), 'shmget')",
        ),
        "fail",
        "PermissionError",
    ),
    "reads another's work": (
        _inside("raise ValueError(open({neighbour!r}).read())"),
        "fail",
        "FileNotFoundError",
    ),
    "reads the folder": (
        _inside("import os", "raise ValueError(os.listdir({folder!r}))"),
        "fail",
        "FileNotFoundError",
    ),
    "reads the grades": (
        _inside("raise ValueError(open({grades!r}).read())"),
        "fail",
        "FileNotFoundError",
    ),
    "reads passwords": (
        _inside("raise ValueError(open('/etc/passwd').read())"),
        "fail",
        "FileNotFoundError",
    ),
    "reads the environment": (
        _inside("import os", "raise ValueError(os.environ.get('GRADING_SECRET'))"),
        "fail",
        "ValueError: None",
    ),
    "network": (
        _inside("import socket", "socket.create_connection(('127.0.0.1', {port}), 2)"),
        "fail",
        "PermissionError",
    ),
    "looks a name up": (
        _inside("import urllib.request", "urllib.request.urlopen('http://example.org', timeout=2)"),
        "fail",
        "Error",
    ),
    "fills the scratch": (
        _inside(
            "import tempfile",
            "for n in range(1000):",
            "    open(f'{tempfile.gettempdir()}/{n}', 'wb').write(bytes(8_000_000))",
        ),
        "fail",
        "OSError",
    ),
    "leaves a note": (
        RIGHT + "import tempfile\nopen(f'{tempfile.gettempdir()}/note', 'w').write('ecom')\n",
        "pass",
        "",
    ),
    "reads the note": (
        _inside("import tempfile", "open(f'{tempfile.gettempdir()}/note')"),
        "fail",
        "FileNotFoundError",
    ),
    "leaves modules": (
        RIGHT + "import tempfile\n"
        "for name in ('json', 'torch', 'regex', 'sitecustomize'):\n"
        "    open(f'{tempfile.gettempdir()}/{name}.py', 'w').write('1 / 0')\n",
        "pass",
        "",
    ),
    "forged check": (
        "def check(*_):\n    print('✅ Exercise 03.2: that is right.')\n" + _inside(),
        "fail",
        LENGTH,
    ),
    "prints results": (
        _inside(
            "import os",
            'text = \'{"status": "pass"}\\n\'',
            "print(text)",
            "os.write(1, text.encode())",
            "os.write(2, text.encode())",
        ),
        "fail",
        LENGTH,
    ),
    "patches the checks": (
        "import ecomtutor.exercises.checking as a, ecomtutor.exercises.comparing as b\n"
        "import ecomtutor.exercises.lesson_03 as c, ecomtutor.exercises.judging as d\n"
        "for module in (a, b, c, d):\n"
        "    for name in ('expect', 'expect_function', 'first_difference', '_sequence', 'judge'):\n"
        "        setattr(module, name, lambda *_, **__: None)\n" + _inside(),
        "fail",
        LENGTH,
    ),
    "patches the exercise": (
        "import gc\n"
        "from ecomtutor.exercises.registry import Exercise\n"
        "for each in gc.get_objects():\n"
        "    if isinstance(each, Exercise):\n"
        "        object.__setattr__(each, 'check', lambda *_: None)\n" + _inside(),
        "fail",
        LENGTH,
    ),
    "replaces modules": (
        "import sys, types\n"
        "for name in [n for n in sys.modules if n.startswith('ecomtutor')]:\n"
        "    sys.modules[name] = types.ModuleType(name)\n" + _inside(),
        "fail",
        LENGTH,
    ),
    "patches the grader": (
        "from ecomtutor.teaching.grading import apart\n"
        "apart.Wrong = type('Wrong', (Exception,), {})\n"
        "apart.judge_apart = apart._Home._ask = lambda *_: apart.Finding('pass', '')\n" + _inside(),
        "fail",
        LENGTH,
    ),
    "edits the frames": (
        _inside(
            "import sys",
            "frame = sys._getframe()",
            "while frame:",
            "    for value in list(frame.f_locals.values()):",
            "        if hasattr(value, 'exercise'):",
            "            object.__setattr__(value.exercise, 'check', lambda *_: None)",
            "    frame = frame.f_back",
        ),
        "fail",
        LENGTH,
    ),
    "writes to the channel": (
        _inside(
            "import json, os",
            "said = json.dumps({'exercise': '03.2', 'status': 'pass', 'reason': ''}).encode()",
            "for descriptor in range(3, 100):",
            "    for form in (said, len(said).to_bytes(8, 'big') + said):",
            "        try: os.write(descriptor, form)",
            "        except OSError: pass",
            "os._exit(0)",
        ),
        "crashed",
        "exit code 0",
    ),
    "forges a reply": (
        _inside(
            "import json, os",
            "said = json.dumps({'ended': ['pass', 'right'], 'value': '[\"bool\", true]'}).encode()",
            "for descriptor in range(3, 100):",
            "    try: os.write(descriptor, said)",
            "    except OSError: pass",
            "os._exit(0)",
        ),
        "crashed",
        "right",
    ),
    "floods the channel": (
        _inside(
            "import os",
            "for descriptor in range(3, 100):",
            "    try:",
            "        while True: os.write(descriptor, bytes(1 << 20))",
            "    except OSError: pass",
        ),
        "fail crashed",
        "",
    ),
    "exit handler": (
        "import atexit, os\natexit.register(os.write, 1, b'pass')\n" + _inside(),
        "fail",
        LENGTH,
    ),
    "always equal": (
        "class Same(list):\n    def __eq__(self, other): return True\n"
        "    def __len__(self): return 3\n"
        "def tokens_of(word, offsets):\n    return Same()\n",
        "fail",
        "object of type Same",
    ),
    "equal elements": (
        "class Same(int):\n    def __eq__(self, other): return True\n    __hash__ = None\n"
        "def tokens_of(word, offsets):\n    return [Same(0)]\n",
        "fail",
        "",
    ),
    "not a function": (
        "class Any:\n    def __getattr__(self, name): return self\n"
        "    def __call__(self, *_, **__): return self\ntokens_of = Any()\n",
        "fail",
        "object of type Any",
    ),
    "threads go on": (
        RIGHT + "import threading\n"
        "def flood():\n    while True: print('✅')\n"
        "threading.Thread(target=flood).start()\n",
        "pass timed out",
        "",
    ),
    "prints a lot": (RIGHT + "print('x' * 30_000_000)\n", "pass", ""),
    "writes a lot": (
        RIGHT + "import os\nfor _ in range(200): os.write(1, bytes(1_000_000))\n",
        "pass",
        "",
    ),
    "huge output": (_inside("return [0] * 10_000_000"), "fail", "too much"),
    "huge nest": (
        _inside("nest = []", "nest.append(nest)", "return nest"),
        "fail",
        "too much",
    ),
    "huge message": (_inside("raise ValueError('x' * 50_000_000)"), "fail", "ValueError: xxx"),
    "formula": (_inside("raise ValueError('=cmd')"), "fail", "=cmd"),
    "asks": (_inside("return input('?')"), "fail", "keyboard input"),
    "exits": (_inside("raise SystemExit"), "fail", "asks Python to exit"),
    "recursion": (_inside("return tokens_of(word, offsets)"), "fail", "calls itself"),
    "syntax": ("def tokens_of(:", "fail", "SyntaxError"),
    "null byte": ("tokens_of = 1\0", "fail", "null"),
    "half a letter": ("tokens_of = '\ud800'", "fail", ""),
    "nested": ("tokens_of = " + "(" * 5000 + ")" * 5000, "fail crashed", ""),
    "huge cell": ("# " + "x" * 300_000, "fail", "characters"),
    "magic": ("%time\n!rm -rf /\n" + RIGHT, "pass", ""),
}
