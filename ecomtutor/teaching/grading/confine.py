"""What the process that runs an answer may do: little. Set by the process itself, just before.

Three layers. Resource limits bound memory, processor time, files and, for other users than root,
threads. A filter in the kernel (seccomp) refuses system calls: no new process, no other program,
no socket, no memory shared with others, no signal to others, no tracing. And the process keeps no
open file but the one that its reply goes to. Namespaces and the read-only file system come from
bubblewrap, around all of this: see `box`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import struct
import sys
from dataclasses import dataclass

_FILE_BYTES = 32 * 1024 * 1024
_OPEN_FILES = 128
_THREADS = 64

_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_FILTER_MODE = 2

_CLONE_THREAD = 0x10000
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06

# Numbers of system calls: of x86-64, then of 64-bit ARM; None where there is no such call.
_NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "accept": (43, 202),
    "accept4": (288, 242),
    "add_key": (248, 217),
    "bind": (49, 200),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clone": (56, 220),
    "clone3": (435, 435),
    "connect": (42, 203),
    "execve": (59, 221),
    "execveat": (322, 281),
    "fcntl": (72, 25),
    "finit_module": (313, 273),
    "fork": (57, None),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "kcmp": (312, 272),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "kill": (62, 129),
    "listen": (50, 201),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "msgget": (68, 186),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pivot_root": (155, 41),
    "prlimit64": (302, 261),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "request_key": (249, 218),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "semget": (64, 190),
    "setns": (308, 268),
    "shmat": (30, 196),
    "shmget": (29, 194),
    "socket": (41, 198),
    "tgkill": (234, 131),
    "tkill": (200, 130),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vfork": (58, None),
}
_BY_CASE = {"clone", "clone3", "fcntl", "kill", "prlimit64", "tgkill"}
_SIGNALS_TO_OWNER = (8, 10, 15)  # F_SETOWN, F_SETSIG, F_SETOWN_EX: a file that signals a stranger
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


@dataclass(frozen=True)
class Limits:
    """What an answer may use.

    Args:
        memory: bytes above what the trusted part holds already.
        patience: multiplies every time limit; above 1 for a slow or busy machine.
        definition: processor seconds that running the answer cell itself may take.
        wall: seconds on the clock for each processor second: what a busy machine needs, and how
            long an answer may sleep.
    """

    memory: int = 1_000_000_000
    patience: float = 1.0
    definition: float = 10.0
    wall: float = 5.0


def has_filter() -> bool:
    """Whether the kernel filter is written for this machine."""
    return sys.platform == "linux" and platform.machine() in _MACHINES


def hide_memory() -> None:
    """Let no other process read this one's memory or files, not even one of the same user."""
    if sys.platform == "linux":
        _prctl(_PR_SET_DUMPABLE, 0)


def confine(keep: int, limits: Limits, seconds: float, filtered: bool) -> None:
    """Shut this process in. There is no way back.

    Args:
        keep: the one file descriptor that stays open.
        limits: memory above what is in use now.
        seconds: processor time after which the kernel ends the process.
        filtered: whether to set the kernel filter.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    last = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    os.closerange(3, keep)
    os.closerange(keep + 1, last if 0 < last < 1_000_000 else 65536)
    for name, most in _bounds(limits, seconds).items():
        with contextlib.suppress(AttributeError, ValueError, OSError):  # not on every system
            number = getattr(resource, name)
            hard = resource.getrlimit(number)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(number, (most, most))
    if filtered:
        _filter()


def _bounds(limits: Limits, seconds: float) -> dict[str, int]:
    return {
        "RLIMIT_AS": _size_now() + limits.memory,
        "RLIMIT_CPU": max(1, round(seconds + 1)),
        "RLIMIT_FSIZE": _FILE_BYTES,
        "RLIMIT_NOFILE": _OPEN_FILES,
        "RLIMIT_NPROC": _THREADS,
        "RLIMIT_CORE": 0,
        "RLIMIT_MSGQUEUE": 0,
    }


def _size_now() -> int:
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 8_000_000_000


def _filter() -> None:
    program = _program(os.getpid(), *_MACHINES[platform.machine()])
    buffer = ctypes.create_string_buffer(program, len(program))
    pointer = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_SECCOMP, _FILTER_MODE, ctypes.create_string_buffer(pointer, len(pointer)))


def _prctl(option: int, *values: object) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    words = [v if isinstance(v, ctypes.Array) else ctypes.c_ulong(v) for v in values]  # type: ignore[arg-type]
    words += [ctypes.c_ulong(0)] * (4 - len(words))
    if library.prctl(option, *words) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) was refused")


def _program(pid: int, column: int, machine: int) -> bytes:
    """The filter: each call is refused, looked at by its arguments, or allowed."""
    number, first, second, architecture = 0, 16, 24, 4
    refuse = _ERRNO | _EPERM
    steps = [(_LOAD, 0, 0, architecture), (_EQUAL, 1, 0, machine), (_RETURN, 0, 0, _KILL)]
    steps += [(_LOAD, 0, 0, number)]
    # The same call under another number: the 32-bit pointers of x86-64.
    steps += [(_AT_LEAST, 0, 1, 0x40000000), (_RETURN, 0, 0, refuse)]

    def of(name: str) -> int:
        return _NUMBERS[name][column] or 0

    for name, numbers in _NUMBERS.items():
        if name not in _BY_CASE and numbers[column] is not None:
            steps += [(_EQUAL, 0, 1, of(name)), (_RETURN, 0, 0, refuse)]
    # glibc falls back from clone3, whose flags a filter cannot see, to clone.
    steps += [(_EQUAL, 0, 1, of("clone3")), (_RETURN, 0, 0, _ERRNO | _ENOSYS)]
    steps += _case(of("clone"), first, [(_ANY_BIT, 1, 0, _CLONE_THREAD)], refuse, number)
    for name in ("kill", "tgkill"):
        steps += _case(of(name), first, [(_EQUAL, 1, 0, pid)], refuse, number)
    own = [(_EQUAL, 2, 0, pid), (_EQUAL, 1, 0, 0)]
    steps += _case(of("prlimit64"), first, own, refuse, number)
    count = len(_SIGNALS_TO_OWNER)
    other = [(_EQUAL, count - place, 0, c) for place, c in enumerate(_SIGNALS_TO_OWNER)]
    # Jumps over the refusal when no forbidden command matched.
    block = [(_LOAD, 0, 0, second), *other, (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, refuse)]
    steps += [(_EQUAL, 0, len(block), of("fcntl")), *block]
    steps += [(_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _case(
    call: int, argument: int, tests: list[tuple[int, int, int, int]], refuse: int, number: int
) -> list[tuple[int, int, int, int]]:
    """Allow one call when a test of its argument jumps over the refusal, and go on otherwise."""
    block = [(_LOAD, 0, 0, argument), *tests, (_RETURN, 0, 0, refuse), (_RETURN, 0, 0, _ALLOW)]
    return [(_EQUAL, 0, len(block), call), *block]
