#!/usr/bin/env python3
"""Plays the hub and the booking system around the adapter, on a real Kafka: HALSONAV_KAFKA names it.

    eval "$(tests/services env DIR)"
    $(tests/services python) docs/examples/python-adapter/test_adapter.py
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

import adapter

HERE = Path(__file__).parent
CONTRACTS = adapter.Contracts(HERE / "../../../contracts/schemas", HERE / "schemas")
KAFKA = os.environ.get("HALSONAV_KAFKA")
CASE = "0199a7c2-5b3e-7d41-9f0a-6c1e8b2d4f73"
WISH = {"language": "som", "start": "2026-03-05T10:00:00Z", "end": "2026-03-05T11:00:00Z"}


class Neighbour(BaseHTTPRequestHandler):
    """A booking system that knows its keys, and loses answers when told to."""

    booked, lose, refuse = {}, 0, False

    def do_POST(self):
        wish = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if Neighbour.refuse:
            return self.reply(422)
        Neighbour.booked.setdefault(self.headers["Idempotency-Key"], []).append(wish)
        if Neighbour.lose:
            Neighbour.lose -= 1
            return None  # The connection closes without an answer.
        self.reply(200, {"effect": 1})

    def do_GET(self):
        key = self.path.rsplit("/", 1)[1]
        self.reply(200, {"key": key}) if key in Neighbour.booked else self.reply(404)

    def reply(self, status, body=None):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body or {}).encode())

    def log_message(self, *_):
        pass


def command(job, payload=WISH, kind="interpreter.book", headers=None):
    return {
        "id": adapter.command_id(CASE, job),
        "case": CASE,
        "subject": "0199a7bf-e0d1-7c35-a8b4-2f6d9e1c0b5a",
        "kind": kind,
        "unit": "SE2321000999-VC01",
        "payload": payload,
        "headers": {"halsonav-job": str(job)} | (headers or {}),
        "issued": "2026-02-23T10:12:00Z",
    }


class Hub:
    """Topics of its own, commands out, events in, and the adapter as a process."""

    def __init__(self, folder, url):
        self.prefix = f"t{uuid.uuid4().hex[:8]}."
        self.folder, self.url = folder, url
        kafka = {"bootstrap.servers": KAFKA}
        names = [self.prefix + name for name in ("halsonav.commands.interpreter", "halsonav.events")]
        admin = AdminClient(kafka)
        for made in admin.create_topics([NewTopic(name, 3, 1) for name in names]).values():
            made.result(60)
        self.commands, self.events = names
        self.producer = Producer(kafka | {"partitioner": "murmur2_random"})
        self.consumer = Consumer(kafka | {"group.id": self.prefix + "hub", "auto.offset.reset": "earliest"})
        self.consumer.assign([TopicPartition(self.events, n, 0) for n in range(3)])

    def start(self):
        options = ["--kafka", KAFKA, "--prefix", self.prefix, "--booking-system", self.url]
        options += ["--memory", str(self.folder / "memory.db"), "--pauses", "0,0.2,0.2"]
        self.adapter = subprocess.Popen([sys.executable, HERE / "adapter.py", *options])

    def stop(self, how="terminate"):
        getattr(self.adapter, how)()
        return self.adapter.wait(30)

    def ask(self, value):
        value = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.producer.produce(self.commands, key=CASE, value=value)
        self.producer.flush(30)

    def hear(self, seconds=60):
        """The next event: its attributes and data."""
        message = self.consumer.poll(seconds)
        if message is None or message.error():
            raise AssertionError(f"no event: {message and message.error()}")
        headers = {name: value.decode() for name, value in message.headers()}
        assert message.key().decode() == CASE and headers.pop("content-type") == "application/json"
        return {name.removeprefix("ce_"): value for name, value in headers.items()}, json.loads(message.value())


class TestAdapter(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not KAFKA:
            print("NOT CHECKED: the adapter in Python: HALSONAV_KAFKA is not set", file=sys.stderr)
            if os.environ.get("CI") == "true":
                raise RuntimeError("HALSONAV_KAFKA is not set")
            raise unittest.SkipTest("HALSONAV_KAFKA is not set")

    def setUp(self):
        Neighbour.booked, Neighbour.lose, Neighbour.refuse = {}, 0, False
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Neighbour)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.hub = Hub(Path(folder.name), f"http://127.0.0.1:{self.server.server_port}")
        self.hub.start()
        self.addCleanup(lambda: (self.hub.stop("kill"), self.server.shutdown(), self.server.server_close()))

    def expect(self, kind, job, **data):
        attributes, told = self.hub.hear()
        self.assertEqual(attributes.pop("time")[-1], "Z")
        id = adapter.command_id(CASE, job)
        known = {"specversion": "1.0", "id": id, "source": "/adapters/interpreter", "type": kind, "subject": CASE}
        self.assertEqual(attributes, known)
        self.assertIsNone(CONTRACTS.check(f"{kind}.event", told))
        self.assertEqual(told["job"], job)
        for name, value in data.items():
            self.assertEqual(told[name], value)
        return told

    def times(self, job):
        return len(Neighbour.booked.get(adapter.command_id(CASE, job), []))

    def test_done_refused_and_failed(self):
        self.hub.ask(command(7))
        told = self.expect("command.done", 7)
        self.assertIsNone(CONTRACTS.check("interpreter.book.result", told["result"]))
        Neighbour.refuse = True
        self.hub.ask(command(8))
        self.expect("command.refused", 8, code="no-interpreter")
        self.hub.ask(command(9, payload=WISH | {"name": "Märta"}))
        told = self.expect("command.failed", 9, outcomeUnknown=False)
        self.assertEqual(told["problem"]["kind"], "invalid")
        self.assertNotIn("Märta", json.dumps(told, ensure_ascii=False))
        self.hub.ask(command(10, kind="interpreter.cancel"))
        self.expect("command.failed", 10)

    def test_what_is_no_command_does_not_stop_the_others(self):
        for value in (b"", b"{", b"[]", b'{"id": 1}', command(3, headers={"halsonav-job": ""})):
            self.hub.ask(value)
        self.hub.ask(command(1))
        self.expect("command.done", 1)

    def test_a_command_that_comes_again_is_answered_the_same_and_done_once(self):
        for _ in range(3):
            self.hub.ask(command(1))
        told = [self.expect("command.done", 1) for _ in range(3)]
        self.assertEqual(told[0], told[2])
        self.assertEqual(self.times(1), 1)

    def test_a_lost_answer_is_asked_about_and_not_asked_for_again(self):
        Neighbour.lose = 1
        self.hub.ask(command(1))
        self.expect("command.done", 1)
        self.assertEqual(self.times(1), 1)

    def test_an_outcome_that_nobody_knows_is_told_so(self):
        Neighbour.lose = 1
        Neighbour.do_GET, known = lambda self: None, Neighbour.do_GET
        self.addCleanup(setattr, Neighbour, "do_GET", known)
        self.hub.ask(command(1))
        self.expect("command.failed", 1, outcomeUnknown=True)
        # A person asks again: a new job that repeats the old one, under the old one's key.
        Neighbour.do_GET = known
        self.hub.ask(command(2, headers={"halsonav-repeats": "1"}))
        self.expect("command.done", 2)
        self.assertEqual((self.times(1), self.times(2)), (1, 0))

    def test_a_neighbour_that_is_away_is_waited_for(self):
        self.server.shutdown()
        self.server.server_close()
        self.hub.ask(command(1))
        self.expect("command.failed", 1, outcomeUnknown=False)

    def test_killed_at_any_moment_it_does_each_once(self):
        total = 60
        for job in range(total):
            self.hub.ask(command(job))
        heard, kills = set(), 0
        while len(heard) < total:
            attributes, told = self.hub.hear()
            self.assertEqual(attributes["type"], "command.done")
            heard.add(told["job"])
            if len(heard) % 15 == 5 and kills < len(heard) // 15 + 1:
                self.hub.stop("kill")
                kills += 1
                self.hub.start()
        self.assertGreaterEqual(kills, 3)
        self.assertEqual([self.times(job) for job in range(total)], [1] * total)

    def test_an_answer_belongs_to_the_trace_of_its_command(self):
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        self.hub.ask(command(1, headers={"traceparent": trace}))
        attributes, _ = self.hub.hear()
        self.assertEqual(attributes["traceparent"], trace)

    def test_told_to_stop_it_stops(self):
        self.hub.ask(command(1))
        self.expect("command.done", 1)
        begun = time.monotonic()
        self.assertEqual(self.hub.stop(), 0)
        self.assertLess(time.monotonic() - begun, 10)


class TestIds(unittest.TestCase):
    def test_ids_are_those_of_the_contract(self):
        known = "0199a7c2-5b39-8d41-aeb1-a1d5717eafdb"  # contracts/examples/command.done.event.json
        self.assertEqual(adapter.command_id(CASE, 7), known)


if __name__ == "__main__":
    unittest.main()
