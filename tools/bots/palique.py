"""Bots and programs for Palique: one file, the standard library alone (Python 3.9 and later).

    from palique import Bot

    bot = Bot("echo")                    # made by: palique bot create echo --with bob

    @bot.on("message", prefix="/hi", about="says hello")
    def hi(m):
        m.reply(f"hello {m.sender}")

    bot.run()

Bot("echo") speaks with the rights that `palique bot create echo` has given it: in which conversations, whether it may
send, propose or only read, how many messages in a minute, until when. Bot() has yours: all of them.

Each message is handled at least once. What was handled is told to the engine; after a crash or a restart of either side
the rest comes again, and run() finds the engine again by itself. A handler can therefore see a message twice (when
its program died behind it and before the engine knew): one that must not do a thing twice remembers `m.id`.

What the engine refuses a handler (who asked was blocked meanwhile, the answer is too long, a file cannot be had) would be
refused again: it is logged, and the message counts as handled, so that nobody ends a bot by what they say. Any other exception
of a handler ends run(), and that message comes again at the next start. An instance is used by one thread;
two may be two instances of the same name (up to eight).

What is logged goes to logging.getLogger("palique").
"""

from __future__ import annotations

import collections
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import time
from typing import Any, Callable, Deque, Dict, Iterable, List, Optional, Tuple

__all__ = ["Attachment", "Bot", "Disconnected", "Error", "LATER", "Message", "home_of"]

LINE_MAX = 16 << 20  # bytes; the engine's longest is an answer with a thousand messages
PATIENCE = 60  # times that a call waits a second because the bot says more than its rate
LATER = ("busy", "io", "full", "locked")  # kinds of Error that are the engine's own trouble, and may be over the next time
WAITING_MAX = 2000  # notifications that came before an answer; what is more is told again on another line
NAME_BYTES = 200  # of a copy: room for a number, and for an ending of a few
ACK_EVERY = 100  # events that were none of ours; what a handler has dealt with is told at once
log = logging.getLogger("palique")


class Error(Exception):
    """What the engine refused: `kind` (a stable name, docs/local-api.md), `hint` (what to type next, or "")."""

    def __init__(self, kind: str, message: str, hint: str = "") -> None:
        super().__init__(f"{message} ({hint})" if hint else message)
        self.kind, self.hint = kind, hint


class Disconnected(Exception):
    """The line to the engine is cut; run() makes another."""


def home_of() -> str:
    """The folder of the account, as `palique` finds it."""
    if os.environ.get("PALIQUE_HOME"):
        return os.environ["PALIQUE_HOME"]
    data = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    return os.path.join(data, "palique")


class Attachment:
    """The file of a message: `name` (safe as the name of a file), `size` in bytes, `type` (MIME, as its sender says), `alt`
    (what it shows, in words), `fields` (all that is known)."""

    def __init__(self, bot: Bot, message_id: str, fields: Dict[str, Any]) -> None:
        self._bot, self._id, self.fields = bot, message_id, fields
        self.name: str = fields.get("name", "")
        self.size: int = fields.get("size", 0)
        self.type: str = fields.get("type", "")
        self.alt: str = fields.get("alt", "")

    def save(self, folder: str, timeout: float = 3600) -> str:
        """Fetches it if it is not here yet, and copies it into `folder` (made where it is not there), never over a
        file that is; a folder with all that is in it. Returns its path. Error "timeout": it did not come within so many
        seconds; "unavailable": it cannot be had, and why."""
        path = self._bot._fetched(self._id, timeout)
        os.makedirs(folder, exist_ok=True)
        # As the engine has called it, not as its sender does: that may be too long, hidden, or a name of the shell's.
        base, end = os.path.splitext(os.path.basename(path))
        base = base.encode()[:NAME_BYTES].decode("utf-8", "ignore")
        for i in range(1000):
            target = os.path.join(folder, f"{base}{f' ({i})' if i else ''}{end}")
            try:
                if os.path.isdir(path):
                    shutil.copytree(path, target)
                else:
                    with open(target, "xb") as out, open(path, "rb") as source:
                        shutil.copyfileobj(source, out)
                return target
            except FileExistsError:
                continue
        raise Error("exists", f"a thousand files are called {base}{end} in {folder}")


class Message:
    """Something that was said to us: `id`, `sender`, `conversation`, `text`, `words` (of it), `kind` ("text" or "file"),
    `attachment` (or None), `reply_to` (the id of the message it answers, or None), `is_bot` (a program said it),
    `fields` (the whole `receive`, docs/local-api.md)."""

    def __init__(self, bot: Bot, fields: Dict[str, Any]) -> None:
        said = fields.get("message", {})
        self._bot, self.fields = bot, fields
        self.id: str = fields["id"]
        self.conversation: str = fields["conversation"]
        self.sender: str = fields.get("from", self.conversation)
        self.text: str = said.get("text", "")
        self.words: List[str] = self.text.split()
        self.kind: str = said.get("kind", "text")
        self.reply_to: Optional[str] = said.get("replyTo")
        self.is_bot = bool(said.get("bot")) or bool(fields.get("fromBot"))
        self.attachment = Attachment(bot, self.id, said["file"]) if "file" in said else None

    def reply(self, text: str, buttons: Iterable[str] = ()) -> str:
        """Answers it, with up to eight buttons to press. Returns the new message's id."""
        return self._bot.send(self.conversation, text, reply_to=self.id, buttons=buttons)

    def say(self, text: str, buttons: Iterable[str] = ()) -> str:
        """Says something in the same conversation, without pointing at this message."""
        return self._bot.send(self.conversation, text, buttons=buttons)

    def react(self, sign: str) -> None:
        """Puts a sign under it; "" takes it back."""
        self._bot.patiently("sendReaction", id=self.id, reactions=sign)


Handler = Callable[[Any], Any]


class Bot:
    """`name`: of `palique bot create NAME`, whose token lies in HOME/bots/NAME (or in $PALIQUE_BOT_TOKEN); None: with all
    rights of the account. `home`: the folder of the account, or any in which there is its `bot.sock`."""

    def __init__(self, name: Optional[str] = None, home: Optional[str] = None) -> None:
        self.name, self.home = name, home or home_of()
        self._handlers: List[Tuple[str, Optional[str], Handler]] = []
        self._commands: List[str] = []
        self._socket: Optional[socket.socket] = None
        self._file: Any = None
        self._number = 0
        self._waiting: Deque[Dict[str, Any]] = collections.deque()  # notifications that came before an answer
        self._is_behind = False  # others came, and were let go

    # --- what one says ---

    def send(self, conversation: str, text: str, reply_to: Optional[str] = None, buttons: Iterable[str] = ()) -> str:
        """Returns the message's id; of a bot that may only propose, the proposal's."""
        params: Dict[str, Any] = {"conversation": conversation, "text": text}
        if reply_to:
            params["replyTo"] = reply_to
        if buttons:
            params["buttons"] = list(buttons)
        return self.patiently("send", **params)["id"]

    def send_file(self, conversation: str, path: str, caption: Optional[str] = None, alt: Optional[str] = None) -> str:
        """Returns the message's id. `alt`: what an image shows, for who cannot see it."""
        params: Dict[str, Any] = {"conversation": conversation}
        if self.name:  # a token gives no path of this machine: the engine gets a copy of its own
            spool = self.patiently("newSpool")
            shutil.copyfile(path, spool["path"])
            params.update(name=os.path.basename(path), spool=spool["spool"])
        else:
            params["path"] = os.path.abspath(path)
        if caption:
            params["caption"] = caption
        if alt:
            params["alt"] = alt
        return self.patiently("sendFile", **params)["id"]

    def patiently(self, method: str, /, **params: Any) -> Dict[str, Any]:
        """As call(), but what is too much now (the bot's rate) waits for up to a minute, and is not lost."""
        for _ in range(PATIENCE):
            try:
                return self.call(method, **params)
            except Error as e:
                if e.kind != "busy":
                    raise
                time.sleep(1)
        return self.call(method, **params)

    # --- what one hears ---

    def on(self, what: str, prefix: Optional[str] = None, about: Optional[str] = None) -> Callable[[Handler], Handler]:
        """A handler: of "message" (with `prefix`: only those whose first word it is; a command, which with `about` stands in
        the menu), "file", "button" (a press of one of our buttons: an answer to a message of ours), or of any event of
        docs/local-api.md, which gets its fields as a dict. The first one that fits gets it."""

        def register(function: Handler) -> Handler:
            self._handlers.append((what, prefix, function))
            if prefix and about:
                self._commands.append(f"{prefix.lstrip('/')} {about}")
            return function

        return register

    def run(self) -> None:
        """Handles what comes, until Ctrl-C or an exception of a handler; goes on where it stopped when the engine was
        away. Error: the token is none any more ("auth", "expired")."""
        try:
            while True:
                try:
                    self._connect()
                    self._listen()
                except (Disconnected, Error) as e:
                    if isinstance(e, Error) and e.kind != "busy":
                        raise
                    log.info("%s; trying again", e)
                self._close()
                time.sleep(1)
        except KeyboardInterrupt:
            pass
        finally:
            self._close()

    def _handler_of(self, event: str, params: Dict[str, Any]) -> Tuple[Optional[Handler], Any]:
        if event != "receive":
            return next((f for what, _, f in self._handlers if what == event), None), params
        message = Message(self, params)
        if message.is_bot:  # two bots would never end
            return None, message
        for what, prefix, function in self._handlers:
            if (what == "file" and message.attachment) or (what == "button" and self._is_press(message)):
                return function, message
            if what == "message" and not message.attachment and (prefix is None or message.words[:1] == [prefix]):
                return function, message
        return None, message

    def _is_press(self, message: Message) -> bool:
        if not message.reply_to:
            return False
        try:
            asked = self.patiently("getMessage", id=message.reply_to)["message"]
        except Error:  # it is gone
            return False
        return asked.get("own", False) and message.text in asked.get("buttons", [])

    def _listen(self) -> None:
        if self.name:
            self.patiently("subscribe", resume=True)
            if self._commands:
                self.patiently("setCommands", commands=self._commands)
        else:
            since = self._read_state()
            answer = self.call("subscribe", **({"since": since} if since else {}))
            if not since:
                self._write_state(answer["lastEventId"])
        passed = 0  # events since the last that the engine knows we are through with
        while True:
            if self._is_behind and not self._waiting:
                raise Disconnected("more has come than is kept here: the rest is told again")
            notification = self._waiting.popleft() if self._waiting else self._read()
            if "method" not in notification:
                continue
            params = notification.get("params", {})
            handler, argument = self._handler_of(notification["method"], params)
            if handler:
                self._handle(handler, argument)
            passed += 1
            if "eventId" in params and (handler or passed >= ACK_EVERY):
                self._handled(params["eventId"])
                passed = 0

    @staticmethod
    def _handle(handler: Handler, argument: Any) -> None:
        try:
            handler(argument)
        except Error as e:
            if e.kind in LATER:
                raise
            log.warning("refused, and passed over: %s", e)

    def _handled(self, event: str) -> None:
        if self.name:
            self.patiently("ackEvents", eventId=event)
        else:
            self._write_state(event)

    # Without a token nobody keeps for us how far we came.
    def _state_file(self) -> str:
        folder = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
        main = os.path.basename(getattr(sys.modules.get("__main__"), "__file__", None) or "bot")
        return os.path.join(folder, "palique-bots", os.path.splitext(main)[0])

    def _read_state(self) -> Optional[str]:
        try:
            with open(self._state_file(), encoding="ascii") as f:
                return f.read().strip() or None
        except FileNotFoundError:
            return None

    def _write_state(self, event: str) -> None:
        path = self._state_file()
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path + ".new", "w", encoding="ascii") as f:
            f.write(event)
        os.replace(path + ".new", path)

    # --- the line to the engine ---

    def call(self, method: str, /, **params: Any) -> Dict[str, Any]:
        """Any method of the local API (docs/local-api.md); returns its result. Error: refused; Disconnected: the engine
        has gone, and it is not known whether it was done."""
        if not self._socket:
            self._connect()
        assert self._socket
        self._number += 1
        number = self._number
        line = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n"
        try:
            self._socket.sendall(line.encode())
        except OSError as e:
            self._close()
            raise Disconnected(f"the engine has gone: {e}") from None
        while True:
            answer = self._read()
            if answer.get("id") != number:
                if "method" in answer and (self._is_behind or len(self._waiting) >= WAITING_MAX):
                    self._is_behind = True
                elif "method" in answer:
                    self._waiting.append(answer)
                continue
            if "error" in answer:
                data = answer["error"].get("data", {})
                raise Error(data.get("kind", "io"), answer["error"].get("message", ""), data.get("hint", ""))
            return answer["result"]

    def _token(self) -> str:
        if os.environ.get("PALIQUE_BOT_TOKEN"):
            return os.environ["PALIQUE_BOT_TOKEN"]
        try:
            with open(os.path.join(self.home, "bots", self.name or ""), encoding="ascii") as f:
                return f.read().strip()
        except FileNotFoundError:
            raise Error("not-found", f"there is no bot {self.name} in {self.home}",
                        f"palique bot create {self.name} --with CONTACT") from None

    def _connect(self) -> None:
        self._close()
        path = os.path.join(self.home, "bot.sock" if self.name else "engine.sock")
        token = self._token() if self.name else None
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # a path may be too long for a socket's address, but not one below the folder itself
            folder = os.open(os.path.dirname(path) or ".", os.O_PATH | os.O_DIRECTORY)
            try:
                line.connect(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
            finally:
                os.close(folder)
        except OSError as e:
            line.close()
            self._begin_engine()
            raise Disconnected(f"no engine answers at {path}: {e.strerror}") from None
        self._socket, self._file = line, line.makefile("rb")
        if token:
            self.call("authenticate", token=token)

    def _begin_engine(self) -> None:
        """As every face does, where `palique` is at hand; a bot that is shut in just waits."""
        palique = shutil.which("palique")
        if palique:
            subprocess.run([palique, "--home", self.home, "status", "--json"], stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)

    def _close(self) -> None:
        if self._socket:
            self._file.close()
            self._socket.close()
        self._socket = self._file = None
        self._waiting.clear()
        self._is_behind = False

    def _read(self) -> Dict[str, Any]:
        if not self._file:
            raise Disconnected("the line to the engine is cut")
        try:
            line = self._file.readline(LINE_MAX)
        except OSError as e:
            self._close()
            raise Disconnected(f"the engine has gone: {e}") from None
        if not line.endswith(b"\n"):
            self._close()
            raise Disconnected("the engine has ended, or has cut the line")
        return json.loads(line)

    def _fetched(self, message_id: str, timeout: float) -> str:
        """Waits until the file of a message is here; its path."""
        end = time.monotonic() + timeout
        is_asked = False
        while time.monotonic() < end:
            file = self.patiently("getMessage", id=message_id)["message"].get("file", {})
            state = file.get("state")
            if state == "done":
                return file["path"]
            if state in ("offered", "paused", "stopped", "failed", "cancelled"):
                if is_asked and state in ("failed", "cancelled"):
                    raise Error("unavailable", file.get("reason", "the file did not come"))
                self.patiently("acceptFile", id=message_id)
                is_asked = True
            time.sleep(0.2)
        raise Error("timeout", "the file did not come in time")
