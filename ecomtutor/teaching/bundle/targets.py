"""What kinds of laptop a bundle is for: system, processor and Python version."""

import platform
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecomtutor.errors import EcomTutorError

if TYPE_CHECKING:
    from packaging.tags import Tag

# The platform tags that wheels carry, newest first. manylinux_2_28 is Debian 10, Ubuntu 18.10 or
# newer; macOS 14 is what torch asks for.
_LINUX = ("linux", *(f"manylinux_2_{minor}" for minor in range(28, 4, -1)))
_OLD_LINUX = ("manylinux2014", "manylinux2010", "manylinux1")
_MAC = tuple(f"macosx_{version}_0" for version in range(14, 10, -1))
_OLD_MAC = tuple(f"macosx_10_{minor}" for minor in range(16, 5, -1))
PLATFORMS: dict[str, tuple[str, ...]] = {
    "linux-x86_64": tuple(f"{tag}_x86_64" for tag in (*_LINUX, *_OLD_LINUX)),
    "linux-arm64": tuple(f"{tag}_aarch64" for tag in (*_LINUX, *_OLD_LINUX)),
    "macos-arm64": tuple(f"{tag}_{kind}" for kind in ("arm64", "universal2") for tag in _MAC),
    "macos-x86_64": tuple(
        f"{tag}_{kind}" for kind in ("x86_64", "universal2") for tag in (*_MAC, *_OLD_MAC)
    ),
    "windows-x86_64": ("win_amd64",),
}
_SYSTEMS = {"linux": "linux", "macos": "darwin", "windows": "win32"}
_MACHINES = {
    "linux-arm64": "aarch64",
    "windows-x86_64": "AMD64",
    "macos-arm64": "arm64",
}


@dataclass(frozen=True)
class Target:
    """One kind of laptop: a name of `PLATFORMS` and a Python version such as "3.11"."""

    platform: str
    python: str

    def __post_init__(self) -> None:
        if self.platform not in PLATFORMS:
            known = ", ".join(PLATFORMS)
            raise EcomTutorError(f"There is no platform {self.platform!r}. Take one of: {known}.")
        if not re.fullmatch(r"3\.\d+", self.python) or int(self.python[2:]) < 11:
            raise EcomTutorError(
                f"Python {self.python!r} does not run the course: give 3.11 or newer, as 3.11."
            )

    @property
    def name(self) -> str:
        return f"{self.platform}-py{self.python}"

    @property
    def minor(self) -> int:
        return int(self.python[2:])

    def tags(self) -> "list[Tag]":
        """Wheel tags that it can install, best first."""
        from packaging import tags

        version, names = (3, self.minor), PLATFORMS[self.platform]
        return [
            *tags.cpython_tags(version, platforms=names),
            *tags.compatible_tags(version, f"cp3{self.minor}", names),
        ]

    def markers(self) -> dict[str, str]:
        """The values that markers such as ``sys_platform == 'win32'`` are tested against."""
        system = self.platform.split("-")[0]
        names = {"linux": "Linux", "macos": "Darwin", "windows": "Windows"}
        return {
            "extra": "",
            "implementation_name": "cpython",
            "os_name": "nt" if system == "windows" else "posix",
            "platform_machine": _MACHINES.get(self.platform, "x86_64"),
            "platform_python_implementation": "CPython",
            "platform_system": names[system],
            # The exact version of 30 laptops is not known; the newest of the line is the usual one.
            "python_full_version": f"{self.python}.{_patch(self.minor)}",
            "python_version": self.python,
            "sys_platform": _SYSTEMS[system],
        }


def _patch(minor: int) -> int:
    """This machine's patch number for its own Python, else one that is long past."""
    return sys.version_info.micro if minor == sys.version_info.minor else 9


def this_machine() -> Target:
    """The target that describes this machine, or an error where the course has none."""
    systems = {"Linux": "linux", "Darwin": "macos", "Windows": "windows"}
    machine = platform.machine().lower()
    machine = {"amd64": "x86_64", "aarch64": "arm64"}.get(machine, machine)
    name = f"{systems.get(platform.system(), platform.system())}-{machine}"
    return Target(name, f"{sys.version_info.major}.{sys.version_info.minor}")
