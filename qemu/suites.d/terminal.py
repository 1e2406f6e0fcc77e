#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Job control of an interactive shell on a pseudo terminal, as somebody types it.

usage: terminal.py SHELL [ARGUMENT...]

What the shell writes is printed, a line each. Nothing depends on time: the next key is pressed when the
shell has prompted, the terminal's foreground process group has become another, or a
process is in the state that is waited for.
"""

import glob
import os
import pty
import re
import select
import sys
import termios
import time

PROMPT = "@@ "
# A prompt that does not come is a failure, not a wait without end.
PATIENCE = 60


class Terminal:
    """The other end of a shell's terminal."""

    def __init__(self, command):
        self.shell, self.master = pty.fork()
        if self.shell == 0:
            settings = termios.tcgetattr(0)
            settings[3] &= ~termios.ECHO
            termios.tcsetattr(0, termios.TCSANOW, settings)
            os.environ.update(PS1=PROMPT, PROMPT=PROMPT, TERM="dumb", ENV="")
            os.execvp(command[0], command)
        self.written = ""

    def until(self, what, ready):
        """Reads until ready() is true, and prints what has been written by then."""
        end = time.monotonic() + PATIENCE
        while not ready():
            if time.monotonic() > end:
                print(f"{self.written!r}: {what} does not come")
                for stat in glob.glob("/proc/[0-9]*/stat"):
                    with open(stat, encoding="ascii", errors="replace") as fields:
                        print(" ".join(fields.read().split()[:8]))
                sys.exit(1)
            if select.select([self.master], [], [], 0.01)[0]:
                try:
                    self.written += os.read(self.master, 4096).decode(errors="replace")
                except OSError:
                    return
        return

    def prompt(self, quiet=False):
        """Waits for the shell's prompt."""
        self.until("a prompt", lambda: self.written.endswith(PROMPT))
        if quiet:
            self.written = ""
            return
        for line in re.split(r"[\r\n]+", self.written.removesuffix(PROMPT)):
            line = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|[\a\b]", "", line).replace(PROMPT, "").rstrip()
            # When a shell tells of a job that was killed while it did nothing is its own affair.
            if line and line != "%" and not re.match(r"\[\d+\].*[Kk]illed", line):
                print(f"    {line}", flush=True)
        self.written = ""

    def type(self, text):
        """Presses keys."""
        print(f"> {text!r}", flush=True)
        os.write(self.master, text.encode())

    def run(self, line, quiet=False):
        """A command that comes back by itself; quiet if what else there is to tell comes at any time."""
        self.type(line + "\n")
        self.prompt(quiet)

    def in_foreground(self, line):
        """A command that has the terminal until a key is pressed."""
        self.type(line + "\n")
        self.until("another foreground", lambda: os.tcgetpgrp(self.master) != self.shell)
        group = os.tcgetpgrp(self.master)
        print(f"    in the foreground: {group}", flush=True)
        return group

    def wait_for(self, pid, name, state):
        """Waits until a process has become a program and is in a state, as /proc says."""

        def is_there():
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
                    begin, _, end = stat.read().rpartition(")")
                    return begin.endswith(f"({name}") and end.split()[0] == state
            except OSError:
                return False

        self.until(f"{pid}, {name}, in state {state}", is_there)


def asleep(terminal, first, *names):
    """Waits until all members of a pipeline are there and have come to wait."""
    for number, name in enumerate(names):
        terminal.wait_for(first + number, name, "S")


def main():
    terminal = Terminal(sys.argv[1:])
    terminal.prompt()
    terminal.run("echo $$")
    group = terminal.in_foreground("sleep 1000")
    asleep(terminal, group, "sleep")
    terminal.type("\x1a")
    terminal.prompt()
    terminal.run("jobs")
    terminal.run("bg")
    terminal.run("jobs")
    asleep(terminal, terminal.in_foreground("fg"), "sleep")
    terminal.type("\x03")
    terminal.prompt()
    terminal.run("echo $?")
    # A pipeline is one job: stopped, gone on with, and ended by the end of what is typed.
    group = terminal.in_foreground("cat | cat | cat")
    asleep(terminal, group, "cat", "cat", "cat")
    terminal.type("\x1a")
    terminal.prompt()
    terminal.in_foreground("fg")
    asleep(terminal, group, "cat", "cat", "cat")
    terminal.type("through the pipeline\n")
    terminal.until("the line", lambda: "through the pipeline\r\n" in terminal.written)
    terminal.type("\x04")
    terminal.prompt()
    # Who reads from the terminal and does not have it is stopped, before the next prompt or after it.
    terminal.run("cat & waits=$!", quiet=True)
    terminal.run("echo $waits >waits", quiet=True)
    with open("waits", encoding="ascii") as number:
        reader = int(number.read())
    terminal.wait_for(reader, "cat", "T")
    print(f"    stopped: {reader}", flush=True)
    terminal.run("true", quiet=True)
    terminal.run("jobs")
    terminal.run("kill -KILL %1")
    # Quit, and a job that stops itself.
    group = terminal.in_foreground("sleep 1000")
    asleep(terminal, group, "sleep")
    terminal.type("\x1c")
    terminal.prompt()
    terminal.run("echo $?")
    terminal.run("sh -c 'kill -STOP $$; echo went on'")
    terminal.run("echo $?")
    terminal.type("fg\n")
    terminal.prompt()
    terminal.run("sh -c 'exit 3' & wait $!; echo $?")
    # Not with TERM: an interactive shell ignores it, and so does a child of dash's that has not come to exec.
    terminal.run("sleep 1000 & sleep 1001 & kill -KILL %1 %2; wait; echo $?")
    terminal.run("trap 'echo told' USR1; kill -USR1 $$")
    terminal.run("set +m; sleep 1000 & kill -KILL $!; wait $! 2>/dev/null; echo $?; set -m")
    # A shell in a shell has jobs of its own.
    terminal.run(f"{sys.argv[1]} -c 'set -m; sleep 1000 & kill %1; wait %1 2>/dev/null; echo $?'")
    terminal.run("sleep 1000 & echo $! >sleeps")
    with open("sleeps", encoding="ascii") as number:
        sleeper = int(number.read())
    terminal.wait_for(sleeper, "sleep", "S")
    # The terminal goes. Whether the shell is killed by SIGHUP or reads the end first is by chance.
    os.close(terminal.master)
    os.waitpid(terminal.shell, 0)
    print("the shell has ended")


main()
