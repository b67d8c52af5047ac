"""Bots and programs for Palique: one file, the standard library alone.

    from palique import Bot
    bot = Bot("echo")                    # made by: palique bot create echo --with bob
    @bot.on("message", prefix="/hi")
    def hi(m): m.reply(f"hello {m.sender}")
    bot.run()

Bot("echo") speaks with the rights that `palique bot create echo` has given it: which conversations, whether it may
send, propose or only read, how many messages in a minute, until when. Bot() has yours: all of them.

What was handled is told to the engine; after a crash or a restart of either side the rest comes again. A handler can
therefore see a message twice (when it died behind it and before the engine knew), and never misses one.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time

__all__ = ["Bot", "Message", "Attachment", "Error"]

LINE_MAX = 1 << 20


class Error(Exception):
    """What the engine refused: `kind` (a stable name, docs/local-api.md), `hint` (what to type)."""

    def __init__(self, kind, message, hint=""):
        super().__init__(f"{message} ({hint})" if hint else message)
        self.kind, self.hint = kind, hint


def home_of():
    """The folder of the account, as `palique` finds it."""
    if os.environ.get("PALIQUE_HOME"):
        return os.environ["PALIQUE_HOME"]
    data = os.environ.get("XDG_DATA_HOME") or os.path.join(os.environ["HOME"], ".local", "share")
    return os.path.join(data, "palique")


class Attachment:
    """A file of a message."""

    def __init__(self, bot, message_id, fields):
        self._bot, self._id, self.fields = bot, message_id, fields
        self.name, self.size, self.type = fields.get("name", ""), fields.get("size", 0), fields.get("type", "")
        self.alt = fields.get("alt", "")

    def save(self, folder, timeout=3600):
        """Fetches it if it is not here yet, and copies it into `folder` (made where it is not there), never over a
        file that is. Returns its path."""
        path = self._bot._fetched(self._id, timeout)
        os.makedirs(folder, exist_ok=True)
        base, end = os.path.splitext(os.path.basename(self.name) or "file")
        for i in range(1000):
            target = os.path.join(folder, f"{base}{f' ({i})' if i else ''}{end}")
            try:
                with open(target, "xb") as out, open(path, "rb") as source:
                    shutil.copyfileobj(source, out)
                return target
            except FileExistsError:
                continue
        raise Error("exists", f"a thousand files are called {self.name} in {folder}")


class Message:
    """Something that was said to us: `id`, `sender`, `conversation`, `text`, `attachment` (or None), `is_bot`."""

    def __init__(self, bot, fields):
        said = fields.get("message", {})
        self._bot, self.fields = bot, fields
        self.id, self.conversation = fields["id"], fields["conversation"]
        self.sender = fields.get("from", fields["conversation"])
        self.text, self.kind = said.get("text", ""), said.get("kind", "text")
        self.reply_to = said.get("replyTo")
        self.is_bot = bool(said.get("bot")) or bool(fields.get("fromBot"))
        self.attachment = Attachment(bot, self.id, said["file"]) if "file" in said else None
        self.words = self.text.split()

    def reply(self, text, buttons=()):
        """Answers it. Returns the new message's id."""
        return self._bot.send(self.conversation, text, reply_to=self.id, buttons=buttons)

    def say(self, text, buttons=()):
        """Says something in the same conversation, without pointing at this message."""
        return self._bot.send(self.conversation, text, buttons=buttons)

    def react(self, sign):
        self._bot._patiently("sendReaction", {"id": self.id, "reactions": sign})


class Bot:
    def __init__(self, name=None, home=None):
        self.name, self.home = name, home or home_of()
        self._handlers, self._commands = [], []
        self._socket, self._buffer, self._number = None, b"", 0
        self._waiting = []  # notifications that came while an answer was waited for

    # --- what one says ---

    def send(self, conversation, text, reply_to=None, buttons=()):
        """Returns the message's id; of one that may only propose, the proposal's."""
        params = {"conversation": conversation, "text": text}
        if reply_to:
            params["replyTo"] = reply_to
        if buttons:
            params["buttons"] = list(buttons)
        return self._patiently("send", params)["id"]

    def send_file(self, conversation, path, caption=None, alt=None):
        if self.name:  # a token gives no path of this machine: the engine gets a copy of its own
            params = {"conversation": conversation, "name": os.path.basename(path)}
            spool = self._patiently("newSpool", {})
            shutil.copyfile(path, spool["path"])
            params["spool"] = spool["spool"]
        else:
            params = {"conversation": conversation, "path": os.path.abspath(path)}
        if caption:
            params["caption"] = caption
        if alt:
            params["alt"] = alt
        return self._patiently("sendFile", params)["id"]

    def _patiently(self, method, params):
        """More than the bot's rate waits, for up to a minute, and is not lost."""
        for _ in range(60):
            try:
                return self.call(method, **params)
            except Error as e:
                if e.kind != "busy":
                    raise
                time.sleep(1)
        return self.call(method, **params)

    # --- what one hears ---

    def on(self, what, prefix=None, about=None):
        """A handler: of "message" (with `prefix`: only those that begin with this word; it is a command, and with
        `about` stands in the menu), "file", "button" (a press of one of our buttons: an answer to a message of ours), or
        of any event of docs/local-api.md, which gets its fields. The first handler that fits gets it."""

        def register(function):
            self._handlers.append((what, prefix, function))
            if prefix and about:
                self._commands.append((prefix.lstrip("/"), about))
            return function

        return register

    def _dispatch(self, event, params):
        if event == "receive":
            message = Message(self, params)
            if message.is_bot:  # two bots would never end
                return
            for what, prefix, function in self._handlers:
                if what == "file" and message.attachment:
                    return function(message)
                if what == "button" and message.reply_to and self._is_press(message):
                    return function(message)
                if what == "message" and not message.attachment and (prefix is None or message.words[:1] == [prefix]):
                    return function(message)
            return
        for what, _prefix, function in self._handlers:
            if what == event:
                return function(params)

    def _is_press(self, message):
        try:
            asked = self._patiently("getMessage", {"id": message.reply_to})["message"]
        except Error:
            return False
        return asked.get("own", False) and message.text in asked.get("buttons", [])

    def run(self):
        """Handles what comes, for ever; goes on where it stopped when the engine is away for a while. Ends with the
        handler's exception when one fails: what it was handling comes again at the next start."""
        while True:
            try:
                self._connect()
                self._listen()
            except (ConnectionError, FileNotFoundError, TimeoutError):
                self._close()
                time.sleep(1)
            except KeyboardInterrupt:
                self._close()
                return

    def _listen(self):
        state = self._state_file()
        if self.name:
            self._patiently("subscribe", {"resume": True})
        else:
            since = self._read_state(state)
            answer = self.call("subscribe", **({"since": since} if since else {}))
            if not since:
                self._write_state(state, answer["lastEventId"])
        if self._commands and self.name:
            self._patiently("setCommands", {"commands": [f"{name} {about}" for name, about in self._commands]})
        while True:
            notification = self._waiting.pop(0) if self._waiting else self._read()
            if "method" not in notification:
                continue
            params = notification.get("params", {})
            self._dispatch(notification["method"], params)
            event = params.get("eventId")
            if not event:
                continue
            if self.name:
                self._patiently("ackEvents", {"eventId": event})
            else:
                self._write_state(state, event)

    # Without a token nobody keeps for us how far we came.
    def _state_file(self):
        folder = os.environ.get("XDG_STATE_HOME") or os.path.join(os.environ["HOME"], ".local", "state")
        main = os.path.basename(getattr(sys.modules.get("__main__"), "__file__", None) or "bot")
        return os.path.join(folder, "palique-bots", os.path.splitext(main)[0])

    @staticmethod
    def _read_state(path):
        try:
            with open(path, encoding="ascii") as f:
                return f.read().strip() or None
        except FileNotFoundError:
            return None

    @staticmethod
    def _write_state(path, event):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path + ".new", "w", encoding="ascii") as f:
            f.write(event)
        os.replace(path + ".new", path)

    # --- the line to the engine ---

    def call(self, method, /, **params):
        """Any method of the local API; returns its result, raises Error."""
        if not self._socket:
            self._connect()
        self._number += 1
        number = self._number
        line = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n"
        try:
            self._socket.sendall(line.encode())
        except OSError:
            self._close()  # the next call begins anew
            raise
        while True:
            answer = self._read()
            if answer.get("id") != number:
                if "method" in answer:
                    self._waiting.append(answer)
                continue
            if "error" in answer:
                data = answer["error"].get("data", {})
                raise Error(data.get("kind", "io"), answer["error"].get("message", ""), data.get("hint", ""))
            return answer["result"]

    def _token(self):
        path = os.path.join(self.home, "bots", self.name)
        try:
            with open(path, encoding="ascii") as f:
                return f.read().strip()
        except FileNotFoundError:
            raise Error("not-found", f"there is no bot {self.name} here", f"palique bot create {self.name}") from None

    def _connect(self):
        self._close()
        path = os.path.join(self.home, "bot.sock" if self.name else "engine.sock")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # a path may be too long for a socket's address, but not one below the folder itself
            folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY)
            try:
                self._socket.connect(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
            finally:
                os.close(folder)
        except (FileNotFoundError, ConnectionRefusedError):
            self._begin_engine()
            raise ConnectionError("the engine is being begun") from None
        if self.name:
            self.call("authenticate", token=os.environ.get("PALIQUE_BOT_TOKEN") or self._token())

    def _begin_engine(self):
        """As every face does, where `palique` is at hand; a sandboxed bot just waits."""
        palique = shutil.which("palique")
        if palique:
            subprocess.run([palique, "--home", self.home, "status", "--json"], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=False)

    def _close(self):
        if self._socket:
            self._socket.close()
        self._socket, self._buffer, self._waiting = None, b"", []

    def _read(self):
        while b"\n" not in self._buffer:
            if len(self._buffer) > 8 * LINE_MAX:
                raise ConnectionError("a line is too long")
            try:
                more = self._socket.recv(65536)
            except OSError:
                self._close()
                raise
            if not more:
                self._close()
                raise ConnectionError("the engine has ended")
            self._buffer += more
        line, self._buffer = self._buffer.split(b"\n", 1)
        return json.loads(line)

    def _fetched(self, message_id, timeout):
        """Waits until the file of a message is here; its path."""
        end = time.monotonic() + timeout
        asked = False
        while time.monotonic() < end:
            file = self._patiently("getMessage", {"id": message_id})["message"].get("file", {})
            if file.get("state") == "done":
                return file["path"]
            if file.get("state") in ("offered", "paused", "stopped", "failed", "cancelled"):
                if asked and file["state"] in ("failed", "cancelled"):
                    raise Error(file.get("error", "io"), file.get("reason", "the file did not come"))
                self._patiently("acceptFile", {"id": message_id})
                asked = True
            time.sleep(0.2)
        raise Error("timeout", "the file did not come in time")
