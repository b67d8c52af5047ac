#!/usr/bin/env python3
"""Turns a program into a bot: each message goes to its standard input, what it prints comes back.

    bridge.py units -- units -t         a new process for each message, its words given on standard input
    bridge.py adventure --stay -- advent    one process for each conversation, line by line, as on a terminal

The words of a message are never part of a command line. A process has a time limit, and a limit of what it may print; it gets
neither this bot's token nor the engine's socket in its environment."""
import argparse
import os
import queue
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from palique import Bot

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("name", help="of the bot: palique bot create NAME")
p.add_argument("--stay", action="store_true", help="one process for each conversation, which stays")
p.add_argument("--timeout", type=float, default=20, help="seconds for an answer (default: 20)")
p.add_argument("--quiet-for", type=float, default=0.4, help="with --stay: an answer is over after so many seconds of silence")
p.add_argument("--limit", type=int, default=8000, help="bytes of an answer (default: 8000)")
p.add_argument("program", nargs="+")
o = p.parse_args()
bot = Bot(o.name)
environment = {k: v for k, v in os.environ.items() if not k.startswith("PALIQUE")}
TALKS_MAX = 32
talks = {}  # conversation -> Talk


def cut(output):
    text = output[: o.limit].decode("utf-8", "replace").replace("\0", "").strip()
    return text + ("\n…" if len(output) > o.limit else "")


def once(text):
    try:
        done = subprocess.run(o.program, input=text.encode() + b"\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=o.timeout, env=environment, check=False)
    except subprocess.TimeoutExpired as e:
        return (cut(e.stdout or b"") + f"\n(it took longer than {o.timeout:.0f} s and was ended)").strip()
    return cut(done.stdout) or f"(it said nothing; exit code {done.returncode})"


class Talk:
    def __init__(self):
        self.process = subprocess.Popen(o.program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)
        self.output = queue.Queue(maxsize=256)
        self.used = time.monotonic()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            part = os.read(self.process.stdout.fileno(), 4096)
            self.output.put(part)
            if not part:
                return

    def answer(self, text):
        self.used = time.monotonic()
        end, got, is_over = self.used + o.timeout, b"", False
        try:
            self.process.stdin.write(text.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            is_over = True
        while not is_over and len(got) <= o.limit:
            try:
                part = self.output.get(timeout=o.quiet_for if got else max(0.0, end - time.monotonic()))
            except queue.Empty:
                break
            got += part
            is_over = not part
        return cut(got), is_over

    def end(self):
        self.process.kill()
        self.process.wait()


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


bot.run()
