#!/usr/bin/env python3
"""Says back what it hears. palique bot create echo --with bob, then run this."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from palique import Bot, Error

bot = Bot(sys.argv[1] if len(sys.argv) > 1 else "echo")


@bot.on("file")
def file(m):
    m.reply(f"got {m.attachment.name}, {m.attachment.size} bytes")


@bot.on("message")
def message(m):
    m.reply(m.text)


try:
    bot.run()
except Error as e:
    sys.exit(f"echo: {e}")
