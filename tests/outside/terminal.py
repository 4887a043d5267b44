"""`actor-server ctl` on a terminal: colours there and nowhere else, and none if `NO_COLOR` is set.

The arguments are the command to run.
"""

import os
import pty
import subprocess
import sys


def on_a_terminal(**more):
    ours, theirs = pty.openpty()
    environment = {"TERM": "xterm-256color", **os.environ, **more}
    said = bytearray()
    with subprocess.Popen(sys.argv[1:], stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        try:
            while part := os.read(ours, 4096):
                said += part
        except OSError:  # how a terminal says that nobody writes to it any more
            pass
    os.close(ours)
    assert process.returncode == 0, (process.returncode, said)
    return said


os.environ.pop("NO_COLOR", None)
coloured, plain = on_a_terminal(), on_a_terminal(NO_COLOR="1")
piped = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, check=True).stdout
assert b"\x1b[" in coloured, coloured
assert b"\x1b" not in plain, plain
assert b"\x1b" not in piped, piped
