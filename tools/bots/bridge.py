#!/usr/bin/env python3
"""Turns a program into a bot: each message goes to its standard input, what it prints comes back.

    bridge.py units -- units -t         a new process for each message, its words given on standard input
    bridge.py adventure --stay -- advent    one process for each conversation, line by line, as on a terminal

The words of a message are never part of a command line. A process has a time limit, and a limit of what it may print; it gets
neither this bot's token nor the engine's socket in its environment. One message is handled at a time, of all conversations:
where several people shall not wait for each other see `palique recv --exec`."""
import argparse
import os
import queue
import select
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from palique import Bot, Error

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("name", help="of the bot: palique bot create NAME")
p.add_argument("--stay", action="store_true", help="one process for each conversation, which stays")
p.add_argument("--timeout", type=float, default=20, help="seconds for an answer (default: 20)")
p.add_argument("--quiet-for", type=float, default=0.4, help="with --stay: an answer is over after so many seconds of silence")
p.add_argument("--limit", type=int, default=8000, help="bytes of an answer (default: 8000)")
p.add_argument("program", nargs="+")
o = p.parse_args()
if not shutil.which(o.program[0]):
    p.error(f"there is no program {o.program[0]}")
bot = Bot(o.name)
environment = {k: v for k, v in os.environ.items() if not k.startswith("PALIQUE")}
TALKS_MAX = 32
talks = {}  # conversation -> Talk


def cut(output):
    text = output[: o.limit].decode("utf-8", "replace").replace("\0", "").strip()
    whole = len(output) <= o.limit and len(text.encode()) <= o.limit  # what was no UTF-8 has become longer
    return text if whole else text.encode()[: o.limit].decode("utf-8", "ignore") + "\n…"


def begin():
    # a group of its own: with a program that is ended, all that it has begun ends
    return subprocess.Popen(o.program, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            env=environment, start_new_session=True)


def end(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.stdin.close()
    process.wait()


def give(process, text, until):
    """False: it has ended, or does not listen."""
    left, pipe = text.encode() + b"\n", process.stdin.fileno()
    os.set_blocking(pipe, False)
    while left:
        if not select.select([], [pipe], [], max(0.0, until - time.monotonic()))[1]:
            return False
        try:
            left = left[os.write(pipe, left):]
        except BlockingIOError:
            continue
        except BrokenPipeError:
            return False
    return True


def once(text):
    process, got, is_late = begin(), b"", False
    until = time.monotonic() + o.timeout
    if give(process, text, until):
        process.stdin.close()
    while len(got) <= o.limit:
        if not select.select([process.stdout], [], [], max(0.0, until - time.monotonic()))[0]:
            is_late = True
            break
        part = os.read(process.stdout.fileno(), 4096)
        if not part:
            break
        got += part
    code = None
    try:  # it may be a moment behind the end of what it prints
        code = process.wait(0 if is_late or len(got) > o.limit else max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        pass
    end(process)
    process.stdout.close()
    if is_late:
        return (cut(got) + f"\n(it took longer than {o.timeout:.0f} s and was ended)").strip()
    return cut(got) or f"(it said nothing; exit code {code})"


class Talk:
    def __init__(self):
        self.process = begin()
        self.output = queue.Queue(maxsize=256)
        self.is_over = False
        self.used = time.monotonic()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            part = os.read(self.process.stdout.fileno(), 4096)
            while not self.is_over:
                try:
                    self.output.put(part, timeout=1)
                    break
                except queue.Full:
                    continue
            if not part or self.is_over:
                return

    def answer(self, text):
        self.used = time.monotonic()
        until, got = self.used + o.timeout, b""
        is_over = not give(self.process, text, until)
        while not is_over and len(got) <= o.limit:
            try:
                part = self.output.get(timeout=o.quiet_for if got else max(0.0, until - time.monotonic()))
            except queue.Empty:
                break
            got += part
            is_over = not part
        return cut(got), is_over

    def end(self):
        self.is_over = True
        end(self.process)


def staying(conversation, text):
    if conversation not in talks:
        if len(talks) >= TALKS_MAX:
            oldest = min(talks, key=lambda c: talks[c].used)
            talks.pop(oldest).end()
        talks[conversation] = Talk()
    answer, is_over = talks[conversation].answer(text)
    if is_over:
        talks.pop(conversation).end()
        answer = (answer + "\n(it has ended; the next message begins it anew)").strip()
    return answer or "(it says nothing)"


@bot.on("message")
def message(m):
    m.reply(staying(m.conversation, m.text) if o.stay else once(m.text))


try:
    bot.run()
except Error as e:
    sys.exit(f"bridge: {e}")
