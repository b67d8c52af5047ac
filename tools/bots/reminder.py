#!/usr/bin/env python3
"""Reminds: "/remind 20m the oven", "/list", "/forget 2". What it is to remind of is kept in a file, and outlives it.

palique bot create reminder --with bob, then run this."""
import json
import os
import re
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from palique import LATER, Bot, Disconnected, Error

NAME = sys.argv[1] if len(sys.argv) > 1 else "reminder"
LIST_BYTES = 8000  # of an answer: a message holds 16384
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
bot = Bot(NAME)
speaker = Bot(NAME)  # a line of its own for what is due: each is used by one thread
lock = threading.Lock()
path = os.path.join(bot.home, "bots", NAME + ".json")


def load():
    try:
        with open(path, encoding="utf-8") as f:
            return json.load(f)
    except FileNotFoundError:
        return []


def store(list_):
    with open(path + ".new", "w", encoding="utf-8") as f:
        json.dump(list_, f)
    os.replace(path + ".new", path)


def mine(conversation):
    return sorted((r for r in load() if r["conversation"] == conversation), key=lambda r: r["at"])


@bot.on("message", prefix="/remind", about="TIME WORDS: reminds after 30s, 20m, 8h, 2d or 1w")
def remind(m):
    found = re.fullmatch(r"/remind (\d{1,4})([smhdw]) (.{1,1000})", m.text, re.S)
    if not found:
        return m.reply("/remind 20m the oven")
    at = time.time() + int(found[1]) * UNITS[found[2]]
    with lock:
        list_ = load()
        if sum(r["conversation"] == m.conversation for r in list_) >= 100:
            return m.reply("A hundred wait already; /list and /forget make room.")
        if not any(r["message"] == m.id for r in list_):  # a message may be handled twice
            store([*list_, {"at": at, "conversation": m.conversation, "text": found[3], "message": m.id}])
    m.reply(time.strftime("I shall say it %Y-%m-%d %H:%M:%S.", time.localtime(at)), buttons=["/list"])


@bot.on("message", prefix="/list", about="what waits")
def list_all(m):
    with lock:
        waiting = mine(m.conversation)
    lines = [f"{i}. {time.strftime('%Y-%m-%d %H:%M', time.localtime(r['at']))}  {r['text']}" for i, r in enumerate(waiting, 1)]
    words = "\n".join(lines) or "Nothing waits."
    if len(words.encode()) > LIST_BYTES:
        words = words.encode()[:LIST_BYTES].decode("utf-8", "ignore") + "\n…"
    m.reply(words)


@bot.on("message", prefix="/forget", about="NUMBER: takes one of the list away")
def forget(m):
    number = int(m.words[1]) if len(m.words) == 2 and re.fullmatch(r"\d{1,4}", m.words[1]) else 0
    with lock:
        waiting = mine(m.conversation)
        if not 1 <= number <= len(waiting):
            return m.reply("/forget 1 forgets the first one of /list")
        store([r for r in load() if r != waiting[number - 1]])
    m.reply("Forgotten.")


@bot.on("message")
def help_(m):
    m.reply("/remind 20m the oven · /list · /forget 1")


def ring():
    while True:
        with lock:
            due = [r for r in load() if r["at"] <= time.time()]
        for one in due:
            try:
                speaker.send(one["conversation"], "⏰ " + one["text"], reply_to=one["message"])
            except Disconnected:
                break  # the engine is away: later
            except Error as e:
                if e.kind in (*LATER, "auth", "expired"):
                    break  # others ask it too much, say, or it needs another token: later
                print(f"not said: {e}", file=sys.stderr)  # the contact has gone, say
            with lock:
                store([r for r in load() if r != one])
        time.sleep(1)


threading.Thread(target=ring, daemon=True).start()
try:
    bot.run()
except Error as e:
    sys.exit(f"reminder: {e}")
