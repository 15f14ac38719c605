#!/usr/bin/env python3
"""An adapter outside the hub: books interpreters in a region's own system.

It reads the topic of its commands, asks the booking system, and says on the event topic what became of
each command. It needs the topics and the contracts, nothing else of the hub. The rules: README.md
"""

import argparse
import http.client
import json
import logging
import signal
import sqlite3
import sys
import threading
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone
from pathlib import Path
from uuid import UUID

import jsonschema
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

SOURCE = "/adapters/interpreter"
log = logging.getLogger("interpreter")


class NotSent(Exception):
    """It is certain that nothing happened; trying again may help."""


class Unknown(Exception):
    """The request may have arrived, and no answer that says so."""


class Refused(Exception):
    """The booking system understood and said no; the text is a BPMN error code."""


class Contracts:
    """The schemas of messages: the hub's, and ours for our own kind of command."""

    def __init__(self, *folders):
        files = [file for folder in folders for file in Path(folder).glob("*.schema.json")]
        self.schemas = {file.name.removesuffix(".schema.json"): json.loads(file.read_text()) for file in files}

    def check(self, name, value):
        """Where `value` breaks the schema, never with what; nothing if it keeps to it."""
        validator = jsonschema.Draft7Validator(self.schemas[name], format_checker=jsonschema.FormatChecker())
        error = jsonschema.exceptions.best_match(validator.iter_errors(value))
        return error and f"{error.json_path}: {error.validator}"


class Memory:
    """Which commands were begun, and how they were answered. On disk before anything is sent."""

    def __init__(self, path):
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.execute("CREATE TABLE IF NOT EXISTS command (id TEXT PRIMARY KEY, answer TEXT)")

    def answer(self, id):
        row = self.db.execute("SELECT answer FROM command WHERE id = ?", (id,)).fetchone()
        return row and row[0] and json.loads(row[0])

    def begin(self, id):
        """Whether it was begun before."""
        return self.db.execute("INSERT OR IGNORE INTO command (id) VALUES (?)", (id,)).rowcount == 0

    def keep(self, id, answer):
        self.db.execute("INSERT OR REPLACE INTO command VALUES (?, ?)", (id, json.dumps(answer)))


class BookingSystem:
    """The neighbour: takes an idempotency key, and can be asked whether it knows one."""

    def __init__(self, url):
        self.url = url.rstrip("/")

    def book(self, key, wish):
        return self.call("POST", "/effects/interpreter", {"Idempotency-Key": key}, wish)

    def look(self, key):
        return self.call("GET", f"/effects/interpreter/{key}")

    def call(self, method, path, headers=(), body=None):
        """The answer, or nothing if it is not there."""
        data = body and json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **dict(headers)}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            if error.code == 404 and method == "GET":
                return None
            if error.code == 422:
                raise Refused("no-interpreter") from None
            raise (NotSent if error.code in (429, 503) else Unknown)(f"HTTP {error.code}") from None
        except urllib.error.URLError as error:
            refused = isinstance(error.reason, ConnectionRefusedError)
            raise (NotSent if refused else Unknown)(type(error.reason).__name__) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unknown(type(error).__name__) from None


def command_id(case, job):
    """The id of another job of the same case."""
    mask = bytearray(job.to_bytes(6) + bytes(2) + ((job + 1) * 0x9E3779B97F4A7C15 % 2**64).to_bytes(8))
    moved = bytearray(one ^ other for one, other in zip(UUID(case).bytes, mask))
    moved[6] = moved[6] & 0x0F | 0x80
    moved[8] = moved[8] & 0x3F | 0x80
    return str(UUID(bytes=bytes(moved)))


class Adapter:
    def __init__(self, contracts, memory, neighbour, pauses):
        self.contracts, self.memory, self.neighbour, self.pauses = contracts, memory, neighbour, pauses

    def answer(self, command):
        """Type and data of the event that says what became of the command. The same each time."""
        known = self.memory.answer(command["id"])
        if known:
            return known
        kind, data = self.carry_out(command)
        answer = [kind, {"job": int(command["headers"]["halsonav-job"]), **data}]
        self.memory.keep(command["id"], answer)
        return answer

    def carry_out(self, command):
        if command["kind"] != "interpreter.book":
            return failed("invalid", "INTERPRETER-001", "no such operation")
        fault = self.contracts.check("interpreter.book.command", command["payload"])
        if fault:
            return failed("invalid", "INTERPRETER-002", f"payload: {fault}")
        key, lost = command["id"], self.memory.begin(command["id"])
        repeats = command["headers"].get("halsonav-repeats")
        if repeats:  # A person wants to know again what became of an earlier job.
            key, lost = command_id(command["case"], int(repeats)), True
        for pause in self.pauses:
            time.sleep(pause)
            try:
                # What may have happened is asked about before it is asked for again.
                booked = self.neighbour.look(key) if lost else None
                lost = lost and booked is not None
                if not booked:
                    booked = self.neighbour.book(key, command["payload"] | {"unit": command["unit"]})
                return "command.done", {"result": {"reference": key}}
            except Refused as no:
                return "command.refused", {"code": str(no), "result": {}}
            except NotSent as error:
                log.warning("command %s: not sent, %s", command["id"], error)
            except Unknown as error:
                lost = True
                log.warning("command %s: no answer, %s", command["id"], error)
        return failed("unavailable", "INTERPRETER-003", "the booking system cannot be reached", lost)


def failed(kind, code, message, unknown=False):
    problem = {"kind": kind, "code": code, "message": message}
    return "command.failed", {"problem": problem, "outcomeUnknown": unknown}


def headers_of(command, kind):
    """A CloudEvent in binary mode: the attributes are headers, the value is the data."""
    now = datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")
    attributes = {"specversion": "1.0", "id": command["id"], "source": SOURCE, "type": kind, "time": now}
    attributes["subject"] = command["case"]
    headers = {"content-type": "application/json"} | {f"ce_{name}": value for name, value in attributes.items()}
    if trace := command["headers"].get("traceparent"):
        headers["traceparent"] = trace
    return [(name, value.encode()) for name, value in headers.items()]


def read(contracts, message):
    """The command, or nothing if it is none."""
    try:
        command = json.loads(message.value())
        fault = contracts.check("command", command)
        if not fault and not command.get("headers", {}).get("halsonav-job", "").isdecimal():
            fault = "no job that an answer could name"
    except (ValueError, TypeError):
        command, fault = None, "not JSON"
    if fault:
        log.error("INTERPRETER-004 offset %s of partition %s: %s", message.offset(), message.partition(), fault)
        return None
    return command


def run(adapter, consumer, producer, events, stop):
    """One command after the other: carry out, say it, and only then commit. Until told to stop."""
    while not stop.is_set():
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            if message.error().fatal() or message.error().code() == KafkaError._MAX_POLL_EXCEEDED:
                raise KafkaException(message.error())
            log.warning("Kafka: %s", message.error().name())
            continue
        command = read(adapter.contracts, message)
        if command:
            kind, data = adapter.answer(command)
            lost = []
            producer.produce(
                events,
                key=command["case"],
                value=json.dumps(data, ensure_ascii=False).encode(),
                headers=headers_of(command, kind),
                on_delivery=lambda error, _: error and lost.append(error),
            )
            if producer.flush(60) or lost:
                sys.exit("Kafka does not take the answer")  # Started again, it gets the command again.
            log.info("command %s: %s", command["id"], kind)
        consumer.commit(message, asynchronous=False)


def main():
    here = Path(__file__).parent
    options = argparse.ArgumentParser(description="Books interpreters for Hälsonav.")
    options.add_argument("--kafka", required=True, help="host:port, several with commas")
    options.add_argument("--kafka-settings", help="JSON file of librdkafka settings, for TLS")
    options.add_argument("--booking-system", required=True, help="URL")
    options.add_argument("--memory", default="interpreter.db", help="file; must outlive a restart")
    options.add_argument("--contracts", default=here / "../../../contracts/schemas")
    options.add_argument("--pauses", default="0,1,4,16", help="seconds before each try")
    options.add_argument("--prefix", default="", help="of topics and groups, as in the hub's settings")
    given = options.parse_args()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    # Only noted: an exception in the middle of the Kafka client would be lost there.
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    kafka = {"bootstrap.servers": given.kafka}
    if given.kafka_settings:
        kafka |= json.loads(Path(given.kafka_settings).read_text())
    # Cases keep their place among partitions whoever writes: the partitioner is that of Java clients.
    producer = Producer(kafka | {"enable.idempotence": True, "partitioner": "murmur2_random"})
    consumer = Consumer(
        kafka
        | {
            "group.id": given.prefix + "interpreter",
            "group.protocol": "consumer",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    adapter = Adapter(
        Contracts(given.contracts, here / "schemas"),
        Memory(given.memory),
        BookingSystem(given.booking_system),
        [float(pause) for pause in given.pauses.split(",")],
    )
    consumer.subscribe([given.prefix + "halsonav.commands.interpreter"])
    try:
        run(adapter, consumer, producer, given.prefix + "halsonav.events", stop)
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
