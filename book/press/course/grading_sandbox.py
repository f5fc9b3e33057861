"""Lock a process up before a stranger's code runs in it; say which locks hold.

Four locks, each by itself and each left out where the system does not have it:

- ``user``: another user (if we are root), or no privileges;
- ``files``: a root folder of its own (mount and network namespaces) that holds the libraries and
  a writable folder of limited size, nothing else;
- ``paths``: Linux's Landlock, which refuses the same paths once more, also without namespaces;
- ``calls``: a seccomp filter: no new processes, programs, sockets, signals to others, mounts.

bubblewrap does the same, but starts a program, and then each submission would import the libraries
anew; here a process that has imported them forks, and the fork locks itself up.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import site
import struct
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo",
          "/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/System/Library")  # fmt: skip
FILE_SIZE = 32 * 2**20  # bytes of one file
DISK = 64 * 2**20  # bytes of all files
FIRST_USER = 2_000_000_000  # nobody's; each submission has its own

# Linux system calls that are refused: number on x86_64, on aarch64.
REFUSED = {
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "socket": (41, 198), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "kcmp": (312, 272), "kill": (62, 129), "tkill": (200, 130),
    "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "pidfd_getfd": (438, 438),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "unshare": (272, 97), "setns": (308, 268), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "bpf": (321, 280), "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218), "userfaultfd": (323, 282), "memfd_create": (319, 279),
    "memfd_secret": (447, 447), "shmget": (29, 194), "semget": (64, 190), "msgget": (68, 186),
    "mq_open": (240, 180), "setpriority": (141, 140), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
}  # fmt: skip
OWNERS = {  # refused where a submission shares a root with us, for an owner may do these anywhere
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
}  # fmt: skip
CLONE, CLONE3, PRLIMIT = (56, 220), (435, 435), (302, 261)
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


def called(name: str, *words: object) -> int:
    """Call a function of the C library; raise OSError if it fails."""
    given = [ctypes.c_ulong(w) if isinstance(w, int) else w for w in words]
    answer = ctypes.CDLL(None, use_errno=True)[name](*given)
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return answer


def readable() -> list[str]:
    """Return the folders and files that a submission may read: the libraries."""
    import companion

    paths = [*SYSTEM, sys.prefix, sys.base_prefix, *site.getsitepackages(),
             os.path.dirname(os.path.realpath(sys.executable)),
             os.path.dirname(companion.__file__)]  # fmt: skip
    paths = [path for path in paths if os.path.exists(path)]
    return list(dict.fromkeys([*map(os.path.realpath, paths), *map(os.path.abspath, paths)]))


def lock_up(
    folder: str, hidden: Iterable[str], megabytes: int, seconds: float, without: Iterable[str] = ()
) -> list[str]:
    """Lock this process up for good; return the names of the locks that hold.

    Parameters
    ----------
    folder : str
        The only folder in which it may write.
    hidden : iterable of str
        Folders that must not be read, should one lie within a library's folder.
    megabytes : int
        By which the process may grow.
    seconds : float
        Of computing, in all.
    without : iterable of str
        Locks to leave open, as on a system that lacks them.
    """
    root = hasattr(os, "getuid") and os.getuid() == 0
    user = FIRST_USER + os.getpid() if root and "user" not in without else None
    paths, held = readable(), set()
    locks = {
        "files": lambda: own_root(folder, paths, hidden, user),
        "user": lambda: other_user(folder, paths, user, "files" in held),
        "paths": lambda: only_paths(folder, paths),
        "calls": lambda: no_calls(REFUSED if "files" in held else REFUSED | OWNERS),
    }
    limit_memory(megabytes)
    for name, lock in locks.items():
        if name not in without:
            with contextlib.suppress(OSError):
                lock()
                held.add(name)
    if "files" not in held and any(within(place, paths) for place in hidden):
        held.discard("paths")  # it opens a library's folder with all that lies in it
    limit_rest(seconds, processes="calls" in held)
    return sorted(held)


def other_user(folder: str, paths: Iterable[str], user: int | None, own_root: bool) -> None:
    """Become nobody, if we are root and nobody can read the libraries; give up all privileges."""
    if user is not None and (own_root or all(map(open_to_all, paths))):
        if not own_root:
            os.chown(folder, user, user)
        os.setgroups([])
        os.setregid(user, user)
        os.setreuid(user, user)
    if sys.platform == "linux":
        called("prctl", 38, 1, 0, 0, 0)  # no new privileges
        called("capset", struct.pack("Ii", 0x20080522, 0), bytes(24))
    elif user is None:
        raise OSError(errno.ENOSYS, "no other user")


def within(place: str, folders: Iterable[str]) -> bool:
    """Whether a path is one of the folders, or lies in one."""
    return any(place == folder or place.startswith(folder + os.sep) for folder in folders)


def open_to_all(path: str) -> bool:
    """Whether any user may read a path."""
    parents = [Path(path), *Path(path).parents]
    return all(p.stat().st_mode & 0o005 >= (5 if p.is_dir() else 4) for p in parents)


# A root of its own

NAMESPACES = 0x00020000 | 0x40000000 | 0x08000000 | 0x04000000  # mounts, network, IPC, names
USERS = 0x10000000
BIND, REMOUNT, RECURSIVE, PRIVATE, READ_ONLY, DETACH = 4096, 32, 16384, 1 << 18, 1, 2
NO_SUID, NO_DEVICES = 2, 4


def mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    """Mount."""
    called("mount", source.encode(), target.encode(), kind and kind.encode(), flags, data.encode())


def own_root(folder: str, paths: Iterable[str], hidden: Iterable[str], user: int | None) -> None:
    """Give this process a root that holds the paths, read-only, and an empty writable folder."""
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, "no namespaces")
    me, group = os.getuid(), os.getgid()
    kept = {file.name: file.read_bytes() for file in Path(folder).iterdir() if file.is_file()}
    called("unshare", NAMESPACES | (USERS if user is None else 0))
    if user is None:
        for name, line in (("setgroups", "deny"), ("uid_map", f"{me} {me} 1"),
                           ("gid_map", f"{group} {group} 1")):  # fmt: skip
            Path("/proc/self", name).write_text(line)
    mount("none", "/", None, RECURSIVE | PRIVATE)
    root = folder
    mount("tmpfs", root, "tmpfs", NO_SUID | NO_DEVICES, "size=1m,mode=755")
    try:
        for path in sorted(paths, key=len):
            place_in(root, path)
        for path in hidden:
            if os.path.isdir(root + path):
                mount("tmpfs", root + path, "tmpfs", READ_ONLY, "size=4k,mode=755")
        os.makedirs(root + folder, exist_ok=True)
        owner = f",uid={user},gid={user}" if user is not None else ""
        mount("tmpfs", root + folder, "tmpfs", NO_SUID | NO_DEVICES,
              f"size={DISK},nr_inodes=10000,mode=700{owner}")  # fmt: skip
        for name, data in kept.items():
            Path(root + folder, name).write_bytes(data)
            if user is not None:
                os.chown(root + folder + "/" + name, user, user)
        os.chdir(root)
        column, _ = MACHINES[platform.machine()]
        called("syscall", REFUSED["pivot_root"][column], b".", b".")
    except (OSError, KeyError) as error:
        os.chdir("/")
        called("umount2", root.encode(), DETACH)
        raise OSError("no root of its own") from error
    called("umount2", b".", DETACH)
    os.chdir("/")
    mount("none", "/", None, REMOUNT | BIND | READ_ONLY | NO_SUID | NO_DEVICES)


def place_in(root: str, path: str) -> None:
    """Show a path of the machine, read-only, under the new root; keep links links."""
    if os.path.lexists(root + path):
        return
    os.makedirs(os.path.dirname(root + path), exist_ok=True)
    real = os.path.realpath(path)
    if real != path:
        os.symlink(real, root + path)
        return
    os.mkdir(root + path) if os.path.isdir(path) else Path(root + path).touch()
    mount(path, root + path, None, BIND | RECURSIVE)
    flags = os.statvfs(path).f_flag & (2 | 4 | 8 | 1024 | 2048 | 4096)  # nosuid, nodev, …
    relative = 1 << 21 if flags & 4096 else 0
    mount("none", root + path, None,
          REMOUNT | BIND | READ_ONLY | NO_SUID | (flags & ~4096) | relative)  # fmt: skip


# Paths and calls


def only_paths(folder: str, paths: Iterable[str]) -> None:
    """Refuse all files but these, by Landlock (Linux 5.13 and later)."""
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, "no Landlock")
    called("prctl", 38, 1, 0, 0, 0)
    version = called("syscall", 444, None, 0, 1)
    every = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1
    rules = struct.pack("QQQ", every, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = called("syscall", 444, rules, size, 0)
    try:
        for path in [folder, *paths]:
            rights = every if path == folder else 4 | 8 if os.path.isdir(path) else 4
            rights |= 2 if path == os.devnull else 0
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                called("syscall", 445, ruleset, 1, struct.pack("=Qi", rights, place), 0)
            finally:
                os.close(place)
        called("syscall", 446, ruleset, 0)
    finally:
        os.close(ruleset)


def no_calls(refused: Mapping[str, tuple[int | None, int]]) -> None:
    """Refuse system calls that reach out of this process, by a seccomp filter."""
    if sys.platform != "linux" or platform.machine() not in MACHINES:
        raise OSError(errno.ENOSYS, "no list of calls for this machine")
    column, machine = MACHINES[platform.machine()]
    load, equal, more, bits, back = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, deny, unknown, kill = 0x7FFF0000, 0x50000 | 1, 0x50000 | errno.ENOSYS, 0x80000000
    rows = [(load, 0, 0, 4), (equal, 1, 0, machine), (back, 0, 0, kill), (load, 0, 0, 0)]
    if column == 0:  # the second set of numbers of x86
        rows += [(more, 0, 1, 0x40000000), (back, 0, 0, unknown)]
    for numbers in refused.values():
        if numbers[column] is not None:
            rows += [(equal, 0, 1, numbers[column]), (back, 0, 0, deny)]
    rows += [(equal, 0, 1, CLONE3[column]), (back, 0, 0, unknown)]  # the C library then clones
    rows += [(equal, 0, 4, CLONE[column]), (load, 0, 0, 16), (bits, 1, 0, 0x10000),  # a thread
             (back, 0, 0, deny), (back, 0, 0, allow)]  # fmt: skip
    rows += [(equal, 0, 4, PRLIMIT[column]), (load, 0, 0, 16), (equal, 1, 0, 0),  # on itself
             (back, 0, 0, deny), (back, 0, 0, allow)]  # fmt: skip
    rows.append((back, 0, 0, allow))
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *row) for row in rows))
    held = struct.pack("HxxxxxxP", len(rows), ctypes.addressof(program))
    called("prctl", 38, 1, 0, 0, 0)
    called("prctl", 22, 2, ctypes.create_string_buffer(held), 0, 0)


# Limits


def limit_memory(megabytes: int) -> None:
    """Let the process grow by so much; where the system does not know how, it may grow freely."""
    try:
        import resource

        with open("/proc/self/statm") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
    except (ImportError, OSError):
        return
    most = now + megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def limit_rest(seconds: float, processes: bool) -> None:
    """Limit computing, files, and (unless a filter does) processes."""
    try:
        import resource
    except ImportError:
        return
    most = {"CORE": 0, "FSIZE": FILE_SIZE, "NOFILE": 128, "MEMLOCK": 0, "MSGQUEUE": 0,
            "CPU": int(seconds) + 60}  # fmt: skip
    if not processes:
        most["NPROC"] = 0
    for name, value in most.items():
        if hasattr(resource, f"RLIMIT_{name}"):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
