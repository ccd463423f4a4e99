"""The presence store in Redis or Valkey: counts that cost the same however many are here.

One script does each job, so each is whole or not at all. All keys carry one hash tag. A person or
guest is held in a room by as many processes as have told of them; sorted sets hold who is
counted, by the moment they came.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import redis

from livecounters.conf import options
from livecounters.presence.base import (
    Attendee,
    Changes,
    Counts,
    Device,
    Kind,
    Store,
    Who,
    merged,
)

__all__ = ["RedisPresence"]

PORTION = 2000
"""Rows that one run of a script takes in or out: Redis does nothing else meanwhile."""

# Every script begins with this. Of a process that is dead some rows are taken out at a time; the
# scripts answer whether there are more.
SHARED = """
local tag, now, portion = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])

local function key(...) return tag .. table.concat({...}, ":") end

local function enter(process, room, kind, who, visitor, away, since)
  local entry = kind .. room .. "\\0" .. who
  local known = redis.call("HGET", key("of", process), entry)
  local said = (away and "1" or "0") .. visitor
  if known == said then return end
  redis.call("HSET", key("of", process), entry, said)
  local look = away and 0 or 1
  if known then
    look = look - (known:sub(1, 1) == "1" and 0 or 1)
    visitor = ""
  elseif redis.call("HINCRBY", key("held", room), kind .. who, 1) == 1 then
    if kind == "p" or redis.call("HEXISTS", key("claims", room), who) == 0 then
      redis.call("ZADD", key(kind, room), since, who)
    end
  end
  if kind == "p" then
    redis.call("HINCRBY", key("looking", room), who, look)
    if visitor ~= "" and redis.call("HINCRBY", key("claims", room), visitor, 1) == 1 then
      redis.call("ZREM", key("g", room), visitor)
    end
  end
end

local function leave(process, entry)
  local said = redis.call("HGET", key("of", process), entry)
  if not said then return end
  redis.call("HDEL", key("of", process), entry)
  local cut = entry:find("\\0", 1, true)
  local kind, room, who = entry:sub(1, 1), entry:sub(2, cut - 1), entry:sub(cut + 1)
  if redis.call("HINCRBY", key("held", room), kind .. who, -1) <= 0 then
    redis.call("HDEL", key("held", room), kind .. who)
    redis.call("ZREM", key(kind, room), who)
    redis.call("HDEL", key("looking", room), who)
  elseif kind == "p" and said:sub(1, 1) == "0" then
    redis.call("HINCRBY", key("looking", room), who, -1)
  end
  local visitor = said:sub(2)
  if kind == "p" and visitor ~= ""
     and redis.call("HINCRBY", key("claims", room), visitor, -1) <= 0 then
    redis.call("HDEL", key("claims", room), visitor)
    if redis.call("HEXISTS", key("held", room), "g" .. visitor) == 1 then
      redis.call("ZADD", key("g", room), now, visitor)
    end
  end
end

local function number(process, room, connections)
  local known = tonumber(redis.call("HGET", key("sockets", process), room) or "0")
  if connections == 0 then redis.call("HDEL", key("sockets", process), room)
  else redis.call("HSET", key("sockets", process), room, connections) end
  if redis.call("HINCRBY", key("connections"), room, connections - known) <= 0 then
    redis.call("HDEL", key("connections"), room)
  end
end

local function clear(process)
  local found = redis.call("HSCAN", key("of", process), 0, "COUNT", portion)[2]
  for n = 1, #found, 2 do leave(process, found[n]) end
  if redis.call("EXISTS", key("of", process)) == 1 then return false end
  local rooms = redis.call("HKEYS", key("sockets", process))
  for _, room in ipairs(rooms) do number(process, room, 0) end
  redis.call("UNLINK", key("devices", process))
  redis.call("ZREM", key("processes"), process)
  return true
end

local function sweep()
  local dead = redis.call("ZRANGEBYSCORE", key("processes"), "-inf", now, "LIMIT", 0, 1)
  if #dead == 0 then return false end
  clear(dead[1])
  return true
end
"""

BEAT = """
if sweep() then return -1 end
local process, lease, whole = ARGV[3], tonumber(ARGV[4]), ARGV[5] == "1"
if whole then
  if not clear(process) then return -1 end
elseif not redis.call("ZSCORE", key("processes"), process) then return 0 end
redis.call("ZADD", key("processes"), now + lease, process)
local changes = cjson.decode(ARGV[6])
for _, one in ipairs(changes.left) do leave(process, one) end
for _, one in ipairs(changes.came) do
  enter(process, one[1], one[2], one[3], one[4], one[5], one[6])
end
for _, one in ipairs(changes.connections) do number(process, one[1], one[2]) end
for _, one in ipairs(changes.devices) do
  if one[2] == "" then redis.call("HDEL", key("devices", process), one[1])
  else redis.call("HSET", key("devices", process), one[1], one[2]) end
end
return 1
"""

COUNTS = """
if sweep() then return false end
local found = {}
for n = 3, #ARGV do
  local room = ARGV[n]
  found[n - 2] = {
    redis.call("ZCARD", key("p", room)),
    redis.call("ZCARD", key("g", room)),
    tonumber(redis.call("HGET", key("connections"), room) or "0"),
  }
end
return found
"""

CLEAR = "return clear(ARGV[3]) and 1 or 0"
SWEEP = "return sweep() and 1 or 0"

FORGET = """
for _, process in ipairs(redis.call("ZRANGE", key("processes"), 0, -1)) do
  for _, entry in ipairs(redis.call("HKEYS", key("of", process))) do
    local cut = entry:find("\\0", 1, true)
    if entry:sub(1, 1) == ARGV[3] and entry:sub(cut + 1) == ARGV[4] then leave(process, entry) end
  end
  if ARGV[3] == "p" then redis.call("HDEL", key("devices", process), ARGV[4]) end
end
return 1
"""


class RedisPresence(Store):
    """``PRESENCE["URL"]`` says where, ``PRESENCE["PREFIX"]`` what its keys begin with."""

    def __init__(self) -> None:
        self._redis: Any = redis.Redis.from_url(
            options().presence("URL"),
            socket_timeout=2,
            socket_connect_timeout=2,
            health_check_interval=15,
            decode_responses=True,
        )
        self._tag = "{" + str(options().presence("PREFIX")) + "}:presence:"
        names = ("BEAT", "COUNTS", "CLEAR", "SWEEP", "FORGET")
        self._scripts = {
            name: self._redis.register_script(SHARED + globals()[name]) for name in names
        }

    def beat(self, process: str, changes: Changes, now: float, lease: float) -> bool:
        told, whole = 0, changes.whole
        while True:
            # What is too much for one run is told in several; the first one says whether the
            # process is known.
            part = _part(changes, told, told + PORTION)
            answer = self._run("BEAT", now, process, lease, int(whole), json.dumps(part))
            if answer == 0:
                return False
            if answer == 1:
                told, whole = told + PORTION, False
                if told >= _size(changes):
                    return True

    def counts(self, rooms: Iterable[str], now: float) -> dict[str, Counts]:
        wanted = list(dict.fromkeys(rooms))
        while wanted:
            found = self._run("COUNTS", now, *wanted)
            if found is not None:
                return {room: Counts(*n) for room, n in zip(wanted, found, strict=True)}
        return {}

    def roster(self, room: str, now: float, start: int, number: int) -> list[Attendee]:
        self._sweep(now)
        found = self._redis.zrange(
            self._key(Kind.PERSON, room), start, start + number - 1, withscores=True
        )
        if not found:
            return []
        looking = self._redis.hmget(self._key("looking", room), [key for key, _ in found])
        return [
            Attendee(key, since, int(one or 0) <= 0)
            for (key, since), one in zip(found, looking, strict=True)
        ]

    def people(self, room: str, now: float, among: Iterable[str] | None = None) -> set[str]:
        self._sweep(now)
        name = self._key(Kind.PERSON, room)
        if among is None:
            return set(self._redis.zrange(name, 0, -1))
        wanted = list(among)
        if not wanted:
            return set()
        with self._redis.pipeline(transaction=False) as pipe:
            for key in wanted:
                pipe.zscore(name, key)
            found = pipe.execute()
        return {key for key, score in zip(wanted, found, strict=True) if score is not None}

    def devices(self, person: str, now: float) -> list[Device]:
        with self._redis.pipeline(transaction=False) as pipe:
            for process in sorted(self.processes(now)):
                pipe.hget(self._key("devices", process), person)
            lists = [json.loads(text) for text in pipe.execute() if text]
        return merged(Device(*device) for devices in lists for device in devices)

    def processes(self, now: float) -> set[str]:
        return set(self._redis.zrangebyscore(self._key("processes"), f"({now!r}", "+inf"))

    def withdraw(self, process: str) -> None:
        while not self._run("CLEAR", 0.0, process):
            pass

    def forget(self, who: Who) -> None:
        self._run("FORGET", 0.0, who.kind.value, who.key)

    def close(self) -> None:
        self._redis.close()

    def _sweep(self, now: float) -> None:
        while self._run("SWEEP", now):
            pass

    def _run(self, name: str, now: float, *arguments: Any) -> Any:
        return self._scripts[name](keys=[self._tag], args=[repr(now), PORTION, *arguments])

    def _key(self, *words: str) -> str:
        return self._tag + ":".join(words)


def _size(changes: Changes) -> int:
    kinds = (changes.came, changes.left, changes.connections, changes.devices)
    return max(map(len, kinds))


def _part(changes: Changes, start: int, end: int) -> dict[str, Any]:
    """Some of the changes, as the script reads them."""
    return {
        "left": [f"{who.kind}{room}\0{who.key}" for room, who in changes.left[start:end]],
        "came": [
            (one.room, one.who.kind, one.who.key, one.who.browser, one.away, one.since)
            for one in changes.came[start:end]
        ],
        "connections": list(changes.connections.items())[start:end],
        "devices": [
            (person, json.dumps(devices) if devices else "")
            for person, devices in list(changes.devices.items())[start:end]
        ],
    }
