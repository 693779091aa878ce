"""Runs a command in a pseudo-terminal: waits for text or a file, sends keys, and tells how the terminal was left.

Reads one JSON object on stdin: {"command": [...], "rows": 24, "columns": 80, "steps": [{"see": "text"}, {"file": "path"},
{"send": "q"}], "seconds": 120}. Writes one: {"code": 0, "output": "...", "cooked": true, "stuck": null}.
Standard library only.
"""

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time


def main():
    asked = json.load(sys.stdin)
    ours, theirs = pty.openpty()
    size = struct.pack("HHHH", asked["rows"], asked["columns"], 0, 0)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)

    def own_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    child = subprocess.Popen(asked["command"], stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=own_terminal)
    deadline = time.monotonic() + asked["seconds"]
    seen = bytearray()

    def read(seconds):
        if select.select([ours], [], [], seconds)[0]:
            seen.extend(os.read(ours, 65536))

    def until(done):
        while not done():
            if time.monotonic() > deadline or (child.poll() is not None and not select.select([ours], [], [], 0)[0]):
                return done()
            read(0.05)
        return True

    stuck = None
    for step in asked["steps"]:
        if "send" in step:
            os.write(ours, step["send"].encode())
        elif "file" in step and not until(lambda: os.path.exists(step["file"])):
            stuck = step
        elif "see" in step and not until(lambda: step["see"].encode() in seen):
            stuck = step
        if stuck:
            break
    if stuck or not until(lambda: child.poll() is not None):
        stuck = stuck or "the end"
        child.kill()
    code = child.wait()
    while select.select([ours], [], [], 0.1)[0]:
        read(0)
    local = termios.tcgetattr(theirs)[3]
    cooked = bool(local & termios.ICANON) and bool(local & termios.ECHO)
    output = seen.decode("utf-8", "replace")
    json.dump({"code": code, "output": output, "cooked": cooked, "stuck": stuck}, sys.stdout)


main()
