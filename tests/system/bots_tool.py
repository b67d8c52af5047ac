#!/usr/bin/env python3
"""Bots that a test needs and nobody else: one that dies at a chosen point, one that tries all that it may not.

    bots_tool.py HOME dies NAME POINT COUNT    answers; ends itself at the COUNTth time that POINT is reached
    bots_tool.py HOME hostile NAME MINE OTHER  with the token of NAME, whose conversation is MINE and not OTHER
    bots_tool.py HOME refused NAME KIND        the token is refused so
    bots_tool.py HOME rate NAME MINE COUNT     says COUNT messages; more is `busy`
    bots_tool.py HOME ends NAME                waits until its connection ends
    bots_tool.py HOME module NAME MINE PID     what tools/bots/palique.py does with failures; PID: the engine's
    bots_tool.py HOME floods NAME              opens what it can, reads nothing, sends garbage"""
import json
import os
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "bots"))
from palique import Attachment, Bot, Disconnected, Error

HOME, what, name = sys.argv[1:4]
rest = sys.argv[4:]
PATIENCE = 80  # s, until what does not come is a failure


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def dies(point, count):
    """Points: heard, said, acknowledged."""
    bot = Bot(name, home=HOME)
    left = {point: int(count)}

    def reached(here):
        if here in left:
            left[here] -= 1
            if left[here] == 0:
                die()

    call = bot.call

    def watched(method, **params):
        result = call(method, **params)
        if method == "ackEvents":
            reached("acknowledged")
        return result

    bot.call = watched

    @bot.on("message")
    def answer(m):
        reached("heard")
        m.reply("re " + m.text)
        reached("said")

    bot.run()


def fails(bot, kinds, method, /, **params):
    try:
        result = bot.call(method, **params)
    except Error as e:
        if e.kind not in kinds:
            sys.exit(f"{method} {params}: {e.kind} instead of {kinds}: {e}")
        return
    sys.exit(f"{method} {params} was answered: {json.dumps(result)[:300]}")


def hostile(mine, other):
    person, bot = Bot(home=HOME), Bot(name, home=HOME)
    refused = ("refused",)
    secret = person.call("send", conversation=other, text="a secret for the other")["id"]
    by_person = person.call("send", conversation=mine, text="by a person")["id"]
    own = bot.call("send", conversation=mine, text="by the bot")["id"]
    # every method that there is: only those of the table, and what names no conversation of its own is refused
    may = {"version", "methods", "setLanguage", "status", "listContacts", "getContact", "getPicture", "getMessages", "getMessage",
           "searchMessages", "listTransfers", "getThumbnail", "subscribe", "unsubscribe", "ackEvents", "send", "setCommands",
           "editMessage", "deleteMessage", "sendReaction", "sendTyping", "newSpool", "sendFile", "acceptFile"}
    values = {"text": "x", "id": secret, "int": 60, "bool": True, "list": []}
    checked = 0
    for method in person.call("methods")["methods"]:
        if method["name"] in may:
            continue
        params = {p["name"]: values[p["type"]] for p in method["parameters"] if p["required"]}
        fails(bot, refused, method["name"], **params)
        checked += 1
    assert checked > 40, checked
    for whose in (other, "palique:" + other + "@127.0.0.1", other + "@127.0.0.1:7272", mine.upper() + "x", f"{mine} {other}", "*", "", " ",
                  mine + " ", "../" + mine, "nobody-at-all"):
        fails(bot, refused, "send", conversation=whose, text="x")
        fails(bot, refused, "getMessages", conversation=whose)
        fails(bot, refused, "getContact", name=whose)
        fails(bot, refused, "searchMessages", query="secret", conversation=whose)
        fails(bot, refused, "sendTyping", conversation=whose)
        fails(bot, refused, "listTransfers", conversation=whose)
        fails(bot, refused, "getPicture", name=whose)
    # what may be left out by people says whose it is when a bot calls
    fails(bot, refused, "searchMessages", query="secret")
    fails(bot, refused, "listTransfers")
    fails(bot, refused, "getPicture")
    # messages of others are as if they were not there
    missing = ("not-found",)
    for method, more in (("getMessage", {}), ("editMessage", {"text": "x"}), ("deleteMessage", {}), ("sendReaction", {"reactions": "x"}),
                         ("getThumbnail", {}), ("acceptFile", {})):
        fails(bot, missing, method, id=secret, **more)
        fails(bot, missing, method, id="99999999", **more)
        fails(bot, missing + ("request",), method, id="18446744073709551615", **more)
        fails(bot, ("request",), method, id="-1", **more)
    fails(bot, missing, "send", conversation=mine, text="x", replyTo=secret)
    fails(bot, missing, "getMessages", conversation=mine, before=secret)
    # and of its own conversation it changes only what it said
    fails(bot, refused, "editMessage", id=by_person, text="x")
    fails(bot, refused, "deleteMessage", id=by_person)
    fails(bot, refused, "deleteMessage", id=own, here=True)
    bot.call("editMessage", id=own, text="by the bot, once more")
    bot.call("deleteMessage", id=own)
    # no path of this machine
    fails(bot, refused, "sendFile", conversation=mine, path="/etc/passwd")
    fails(bot, refused, "acceptFile", id=by_person, folder="/tmp")
    fails(bot, ("not-found",), "sendFile", conversation=mine, spool="../store.db")
    fails(bot, refused, "send", conversation=mine, text="x", bot="somebody")
    person.call("sendFile", conversation=mine, path=os.path.join(HOME, "bots", name))
    for m in bot.call("getMessages", conversation=mine)["messages"]:
        if HOME in json.dumps(m):
            sys.exit(f"a path: {m}")
    # a file by a copy that the engine owns; a link in its place leads nowhere, and what it points to stays
    sent = os.path.join(HOME, "bots", "sent.txt")
    with open(sent, "w", encoding="ascii") as f:
        f.write("of the bot")
    said = bot.call("getMessage", id=bot.send_file(mine, sent, caption="look"))["message"]
    assert said["bot"] == name and said["file"]["name"] == "sent.txt", said
    spool = bot.call("newSpool")
    os.unlink(spool["path"])
    os.symlink(sent, spool["path"])
    fails(bot, ("refused", "io", "not-found"), "sendFile", conversation=mine, spool=spool["spool"])
    time.sleep(0.5)
    assert os.path.exists(sent), "the engine removed what a link pointed to"
    # what it is shown of people
    contacts = bot.call("listContacts")["contacts"]
    assert [c["name"] for c in contacts] == [mine], contacts
    for word in ("identity", "fingerprint", "address", "pathKind", "verified", "consent", "relay"):
        assert word not in contacts[0], contacts
        assert word not in bot.call("getContact", name=mine)["contact"]
    assert set(bot.call("status")) == {"version", "account"}, bot.call("status")
    # it never becomes another, nor what it was
    fails(bot, refused, "authenticate", token=token_of(name))
    fails(bot, refused, "createBot", name="more", conversations=["*"], may="send")
    # events: only of its conversations
    bot.call("subscribe")
    person.call("send", conversation=other, text="one more secret")
    person.call("setProfile", status="a line")
    person.call("send", conversation=mine, text="the last")
    heard = []
    while True:
        event = bot._waiting.popleft() if bot._waiting else bot._read()
        if "method" in event:
            heard.append(event)
            if event["method"] == "sent" and event["params"]["message"]["text"] == "the last":
                break
    assert "secret" not in json.dumps(heard), heard
    assert {e["method"] for e in heard} <= {"sent", "delivery", "changed", "presence", "typing", "transferProgress", "receive"}, heard
    bot.call("subscribe", since="1")
    end = time.monotonic() + PATIENCE
    while len(bot._waiting) <= 20 and time.monotonic() < end:
        bot.call("version")
    assert len(bot._waiting) > 20, len(bot._waiting)
    for event in bot._waiting:
        assert event["params"].get("conversation", event["params"].get("name")) == mine, event
        assert event["method"] in ("sent", "delivery", "changed", "presence", "typing", "transferProgress", "receive"), event
    fails(bot, ("request",), "subscribe", since="x")
    fails(bot, ("limit",), "ackEvents", eventId="99999999")
    print(f"hostile: {checked} methods")


def token_of(bot):
    with open(os.path.join(HOME, "bots", bot), encoding="ascii") as f:
        return f.read().strip()


def refused(kind):
    bot = Bot(name, home=HOME)
    try:
        bot.call("version")
    except Error as e:
        if e.kind != kind:
            sys.exit(f"{e.kind} instead of {kind}: {e}")
        return
    sys.exit("it was let in")


def rate(mine, count):
    bot = Bot(name, home=HOME)
    for i in range(int(count)):
        bot.call("send", conversation=mine, text=f"{i} of many")
    fails(bot, ("busy",), "send", conversation=mine, text="one too many")
    again = Bot(name, home=HOME)  # another connection has no other account
    fails(again, ("busy",), "send", conversation=mine, text="one too many")
    bot.call("getMessages", conversation=mine)


def ends():
    bot = Bot(name, home=HOME)
    bot.call("version")
    print("in", flush=True)
    bot._socket.settimeout(PATIENCE)
    try:
        while True:
            bot._read()
    except Disconnected:
        print("over", flush=True)


def module(mine, engine):
    """tools/bots/palique.py itself: what it does with failures."""
    import re
    import subprocess
    # none of this name, no home at all
    for bot, kind in ((Bot("nobody", home=HOME), "not-found"), (Bot("nobody", home=HOME + "/bots"), "not-found")):
        try:
            bot.run()
            sys.exit("run() goes on without a token")
        except Error as e:
            assert e.kind == kind and "palique bot create nobody" in str(e), e
    # what a handler raises is the program's, even where it looks like a lost line
    for wrong in (FileNotFoundError, ConnectionResetError, TimeoutError, KeyError):
        bot = Bot(name, home=HOME)

        @bot.on("sent")
        def fails_in_its_way(_event, wrong=wrong):
            raise wrong("of the handler")

        Bot(home=HOME).send(mine, "for a handler that fails")
        Bot(name, home=HOME).call("subscribe", resume=True)
        Bot(home=HOME).send(mine, "for a handler that fails")
        try:
            bot.run()
        except wrong as e:
            assert "of the handler" in str(e), e
        assert bot._socket is None
    # what the engine refuses it would refuse again: nobody ends a bot by what they say
    bot, seen = Bot(name, home=HOME), []

    @bot.on("sent")
    def is_refused(event):
        seen.append(event["message"]["text"])
        if seen[-1] == "the last one":
            raise KeyError("the end")
        bot.send(mine, "too long " * 2000)

    for text in ("the first one", "the last one"):
        Bot(home=HOME).send(mine, text)
    try:
        bot.run()
        sys.exit("run() goes on")
    except KeyError:
        assert seen[-2:] == ["the first one", "the last one"], seen
    # but its own trouble may be over the next time
    for kind in ("full", "io"):
        try:
            Bot._handle(lambda kind: (_ for _ in ()).throw(Error(kind, "of the disk")), kind)
            sys.exit(f"{kind} is passed over")
        except Error as e:
            assert e.kind == kind, e
    # who says much while one waits for an answer fills nothing, and nothing is lost of it
    sys.modules["palique"].WAITING_MAX = 5
    bot, seen = Bot(name, home=HOME), []

    @bot.on("sent")
    def is_flooded(event):
        assert len(bot._waiting) <= 5, len(bot._waiting)
        seen.append(event["message"]["text"])
        if seen[-1] == "begin":
            for i in range(10):
                Bot(home=HOME).send(mine, f"flood {i}")
            bot.call("version")
        if seen[-1] == "flood 9":
            raise KeyError("the end")

    Bot(home=HOME).send(mine, "begin")
    try:
        bot.run()
        sys.exit("run() goes on")
    except KeyError:
        assert [f"flood {i}" for i in range(10)] == list(dict.fromkeys(t for t in seen if t.startswith("flood"))), seen
    sys.modules["palique"].WAITING_MAX = 2000
    # what a sender calls it is nobody's path; a folder is one
    folder = os.path.join(HOME, "bots", "saved")
    given = os.path.join(HOME, "bots", "given")
    long = os.path.join(given, "n" * 240 + ".tar.gz")
    os.makedirs(os.path.join(given, "inner"))
    with open(long, "w", encoding="ascii") as f:
        f.write("the words")
    with open(os.path.join(given, "inner", "one"), "w", encoding="ascii") as f:
        f.write("one")

    class Fetched:
        def __init__(self, path):
            self.path = path

        def _fetched(self, _message_id, _timeout):
            return self.path

    for called in (".profile", "..", "x" * 300, "\\u202e" * 50, ""):
        attachment = Attachment(Fetched(long), "1", {"name": called})
        path = attachment.save(folder)
        assert os.path.dirname(path) == folder and os.path.basename(path).startswith("nnn") and path.endswith(".gz"), path
    inner = Attachment(Fetched(os.path.join(given, "inner")), "1", {"name": "x", "folder": True})
    for _ in range(2):
        assert os.listdir(inner.save(folder)) == ["one"]
    assert len(os.listdir(folder)) == 7, os.listdir(folder)
    # the engine is killed: call() says so, and the next one finds another
    bot = Bot(name, home=HOME)
    bot.call("version")
    os.kill(int(engine), signal.SIGKILL)
    try:
        while True:
            bot.call("version")
    except Disconnected:
        pass
    end = time.monotonic() + PATIENCE
    while True:
        try:
            bot.call("version")
            break
        except Disconnected:
            if time.monotonic() > end:
                sys.exit("it finds no engine again")
            time.sleep(0.1)
    # a part of a file that is there is never lost: names are found beside it
    person = Bot(home=HOME)
    path = os.path.join(HOME, "bots", "attached.txt")
    with open(path, "w", encoding="ascii") as f:
        f.write("the words")
    person.send_file(mine, path)
    # no dependency but the standard library, and types that a checker reads
    source = open(sys.modules["palique"].__file__, encoding="utf-8").read()
    for package in re.findall(r"^(?:import|from) (\w+)", source, re.M):
        assert package in sys.stdlib_module_names, package
    subprocess.run([sys.executable, "-W", "error", "-c", "import palique, typing\nfor c in (palique.Bot, palique.Message, palique.Attachment):\n"
                    " assert c.__doc__\n for n, f in vars(c).items():\n"
                    "  if callable(f): typing.get_type_hints(f); assert n.startswith('_') or f.__doc__, n"],
                   cwd=os.path.dirname(sys.modules["palique"].__file__), check=True)


def raw(path="bot.sock"):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(PATIENCE)
    s.connect(os.path.join(HOME, path))
    return s


def floods():
    token, keep = token_of(name), []
    # before a token nothing is answered but that
    for line in (b'{"jsonrpc":"2.0","id":1,"method":"status"}\n', b'{"jsonrpc":"2.0","id":1,"method":"stop"}\n',
                 b'{"jsonrpc":"2.0","id":1,"method":"subscribe"}\n', b'{"jsonrpc":"2.0","id":1,"method":"authenticate","params":{}}\n'):
        s = raw()
        s.sendall(line)
        answer = json.loads(s.recv(65536))
        assert "error" in answer, answer
        s.close()
    # guesses: each is answered after a second, and the connection is over
    begun = time.monotonic()
    s = raw()
    for guess in ("", "palique-bot-", token[:-1], token + "x", token.upper()):
        s.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "authenticate", "params": {"token": guess}}).encode() + b"\n")
    answer = s.recv(65536)
    assert b'"auth"' in answer and answer.count(b"\n") == 1, answer
    assert time.monotonic() - begun > 0.9
    assert s.recv(100) == b""
    # garbage, halves of lines, strangers who stay
    for junk in (b"\0" * 1000 + b"\n", b"{" * 100000 + b"\n", b'{"jsonrpc":"2.0"', b"\xff\xfe\n" * 1000):
        s = raw()
        try:
            s.sendall(junk)
        except OSError:
            pass
        keep.append(s)
    for _ in range(100):
        keep.append(raw())
    # no more than eight of one bot, and it is told so
    told = 0
    for _ in range(12):
        s = raw()
        s.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "authenticate", "params": {"token": token}}).encode() + b"\n")
        told += b'"busy"' in s.recv(65536)
        keep.append(s)
    assert told == 4, told
    # one that asks for much and reads nothing is cut off, and the engine goes on
    s = keep[-12]
    s.settimeout(0.5)
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "methods"}).encode() + b"\n"
    try:
        for _ in range(20000):
            s.sendall(line)
    except OSError:
        pass
    person = Bot(home=HOME)
    begun = time.monotonic()
    person.call("status")
    print(f"floods: status in {time.monotonic() - begun:.3f} s")


{"dies": dies, "hostile": hostile, "refused": refused, "rate": rate, "ends": ends, "floods": floods, "module": module}[what](*rest)
