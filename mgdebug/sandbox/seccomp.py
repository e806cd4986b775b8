"""Seccomp: which system calls a process may make (man 2 seccomp).

Only the standard library: this runs in the launcher.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Collection, Iterable, Iterator, Sequence

from mgdebug.sandbox import kernel

# Of x86-64, of aarch64 (0: it has none).  What changes the system, looks into other processes, or
# is a way around.
_DENIED = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "syslog": (103, 116),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "iopl": (172, 0),
    "ioperm": (173, 0),
    "modify_ldt": (154, 0),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
}
_FORKS = (57, 0), (58, 0)
# Landlock does not know of these.  To deny them would break copying, so they do nothing.
_MODES_AND_TIMES = {
    "chmod": (90, 0),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, 0),
    "fchown": (93, 55),
    "lchown": (94, 0),
    "fchownat": (260, 54),
    "utime": (132, 0),
    "utimes": (235, 0),
    "futimesat": (261, 0),
    "utimensat": (280, 88),
}
_ATTRIBUTES = {
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
}
# With the place of the argument that says whose: only one's own, which is 0.
_OWN = (
    ((302, 261), 0),  # prlimit64
    ((141, 140), 1),  # setpriority
    ((203, 122), 0),  # sched_setaffinity
    ((144, 119), 0),  # sched_setscheduler
    ((142, 118), 0),  # sched_setparam
    ((314, 274), 0),  # sched_setattr
    ((251, 30), 1),  # ioprio_set
)
_SOCKET, _SOCKETPAIR, _IOCTL = (41, 198), (53, 199), (16, 29)
_MKNOD, _MKNODAT = (133, 0), (259, 33)
_CLONE, _CLONE3 = (56, 220), (435, 435)
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_X32 = 0x40000000

_NEW_NAMESPACES, _CLONE_THREAD = 0x7E020080, 0x00010000
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_S_IFMT, _S_IFCHR, _S_IFBLK = 0xF000, 0x2000, 0x6000

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16

_Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


def available() -> bool:
    """Whether the filter is written for this machine."""
    return kernel.LINUX and os.uname().machine in _MACHINES


def restrict(program: bytes) -> None:
    """This process and all that it starts; it must not be able to gain privileges.  Raises OSError
    where the kernel has no such filters."""
    text = ctypes.create_string_buffer(program)
    pointer = ctypes.addressof(text)
    header = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, pointer))
    kernel.prctl(kernel.PR_SET_SECCOMP, 2, ctypes.byref(header))


def calls(families: Collection[int] | None, *, keeps_modes: bool) -> bytes:
    """A program that denies what no test of a program needs, and other sockets than those of some
    families (None: all are allowed).

    keeps_modes: whether to change the mode, the owner or the times of a file does nothing."""
    column = _MACHINES[os.uname().machine][0]
    body: list[_Instruction] = []
    answers = [(_DENIED, errno.EPERM)]
    if keeps_modes:
        answers += [(_MODES_AND_TIMES, 0), (_ATTRIBUTES, errno.EPERM)]
    for table, error in answers:
        for numbers in table.values():
            if numbers[column]:
                body += [(_EQUAL, 0, 1, numbers[column]), (_RETURN, 0, 0, _ERRNO | error)]
    body += _no_clone3(column)
    body += _where(_CLONE[column], 0, _ANY_BIT, _NEW_NAMESPACES)
    if families is not None:
        body += _unless(_SOCKET[column], 0, sorted(families))
        if socket.AF_UNIX not in families:
            # Datagrams can be sent to any address, also from one end of a pair.
            streams = (socket.SOCK_STREAM, socket.SOCK_SEQPACKET)
            body += _unless(_SOCKETPAIR[column], 1, streams, mask=0xF)
    for request in (_TIOCSTI, _TIOCLINUX):
        body += _where(_IOCTL[column], 1, _EQUAL, request)
    for numbers, place in _OWN:
        body += _unless(numbers[column], place, [0])
    for numbers, place in ((_MKNOD, 1), (_MKNODAT, 2)):
        for kind in (_S_IFCHR, _S_IFBLK):
            if numbers[column]:
                body += _where(numbers[column], place, _EQUAL, kind, mask=_S_IFMT)
    return _assembled(body)


def no_processes() -> bytes:
    """A program that denies to start other processes; threads are allowed."""
    column = _MACHINES[os.uname().machine][0]
    body = [
        step
        for numbers in _FORKS
        if numbers[column]
        for step in ((_EQUAL, 0, 1, numbers[column]), (_RETURN, 0, 0, _ERRNO | errno.EPERM))
    ]
    body += _no_clone3(column)
    body += _where(_CLONE[column], 0, _ANY_BIT, _CLONE_THREAD, wanted=False, error=errno.EPERM)
    return _assembled(body)


def _no_clone3(column: int) -> list[_Instruction]:
    """Its flags lie in memory, where no filter looks: libc then falls back on clone."""
    return [(_EQUAL, 0, 1, _CLONE3[column]), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]


def _assembled(body: Iterable[_Instruction]) -> bytes:
    column, arch = _MACHINES[os.uname().machine]
    program: list[_Instruction] = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, arch),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if column == 0:
        program += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    program += [*body, (_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _where(
    number: int,
    place: int,
    test: int,
    operand: int,
    *,
    wanted: bool = True,
    mask: int = 0,
    error: int = errno.EACCES,
) -> Iterator[_Instruction]:
    """Deny a call with such an argument."""
    jump = (0, 1) if wanted else (1, 0)
    yield from _looking(number, place, mask, [(test, *jump, operand)], error)


def _unless(
    number: int, place: int, operands: Sequence[int], mask: int = 0
) -> Iterator[_Instruction]:
    """Deny a call whose argument is none of these."""
    count = len(operands)
    tests = [(_EQUAL, count - index, 0, operand) for index, operand in enumerate(operands)]
    yield from _looking(number, place, mask, tests)


def _looking(
    number: int,
    place: int,
    mask: int,
    tests: Sequence[_Instruction],
    error: int = errno.EACCES,
) -> Iterator[_Instruction]:
    body: list[_Instruction] = [(_LOAD, 0, 0, _ARGUMENTS + 8 * place)]
    if mask:
        body.append((_AND, 0, 0, mask))
    body += [*tests, (_RETURN, 0, 0, _ERRNO | error), (_LOAD, 0, 0, _NUMBER)]
    yield _EQUAL, 0, len(body), number
    yield from body
