#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Starts a program that fills a screen, and prints which processes it shows: by number and name.

usage: screen.py COMMAND [ARGUMENT...]
"""

import os
import pty
import re
import select
import subprocess
import sys
import time

sleeper = subprocess.Popen(["sleep", "1000"])
child, master = pty.fork()
if child == 0:
    os.environ.update(TERM="vt100", LINES="24", COLUMNS="120")
    os.execvp(sys.argv[1], sys.argv[1:])
written, end = "", time.monotonic() + 40
shown = False
while not shown and time.monotonic() < end:
    if select.select([master], [], [], 0.1)[0]:
        written += os.read(master, 65536).decode(errors="replace")
    # Escapes and blanks aside.
    text = re.sub(r"\x1b[\[()][0-9;?]*[A-Za-z0-9]|\x0f", " ", written)
    shown = re.search(rf"\b{sleeper.pid}\b", text) and re.search(r"\bsleep\b", text) and re.search(rf"\b{child}\b", text)
print("shows the sleeper and itself:", bool(shown))
if not shown:
    print(written)
os.write(master, b"q" if "watch" not in sys.argv[1] else b"\x03")
gone = time.monotonic() + 20
status = None
while status is None and time.monotonic() < gone:
    if select.select([master], [], [], 0.1)[0]:
        try:
            os.read(master, 65536)
        except OSError:
            pass
    pid, code = os.waitpid(child, os.WNOHANG)
    if pid:
        status = code
print("ended:", status)
sleeper.kill()
print(sleeper.wait())
