"""See benchmarks/serve/load. Usage: load.py HOST:PORT/v1 PID CLIENTS MINUTES"""
import asyncio
import collections
import json
import random
import re
import sys
import time

where, pid, clients, minutes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
host, port = where.split("/")[0].split(":")
ends = time.monotonic() + 60 * minutes
got, wrong, expected = collections.Counter(), [], {}


def body(i, **more):
    asked = {"model": "student", "messages": [{"role": "user", "content": f"Say something about the number {i}."}], "max_tokens": 8 + i % 9, "seed": i,
             "temperature": 0 if i % 2 else 0.8}
    return {**asked, **more}


def request(data, path="/v1/chat/completions"):
    return f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


async def answer(reader):
    """Status and body of a response."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    status = int(head.split()[1])
    length = re.search(r"(?i)^content-length: (\d+)", head, re.M)
    if length:
        return status, await reader.readexactly(int(length.group(1)))
    whole = b""
    while True:
        size = int(await reader.readline(), 16)
        whole += (await reader.readexactly(size + 2))[:-2]
        if size == 0:
            return status, whole


async def ask(asked, wait=0):
    reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 16)
    try:
        writer.write(request(asked if isinstance(asked, bytes) else json.dumps(asked).encode()))
        await writer.drain()
        if wait:
            reader._transport.pause_reading()
            await asyncio.sleep(wait)
            reader._transport.resume_reading()
        return await asyncio.wait_for(answer(reader), 300)
    finally:
        writer.close()


def said(stream):
    events = [json.loads(line[6:]) for line in stream.decode().split("\n\n") if line.startswith("data: {")]
    return "".join(choice["delta"].get("content") or "" for event in events for choice in event["choices"])


async def one(draw):
    kind = draw.choice(["plain", "plain", "stream", "stream", "slow", "cut", "cut", "long", "broken"])
    i = draw.randrange(24)
    if kind == "plain":
        status, whole = await ask(body(i))
        right = status == 200 and json.loads(whole)["choices"][0]["message"]["content"] == expected[i]
    elif kind in ("stream", "slow"):
        status, whole = await ask(body(i, stream=True), 5 if kind == "slow" else 0)
        right = status == 200 and said(whole) == expected[i] and whole.endswith(b"data: [DONE]\n\n")
    elif kind == "cut":
        _, writer = await asyncio.open_connection(host, int(port))
        data = request(json.dumps(body(i, stream=draw.random() < 0.5, max_tokens=400)).encode())
        writer.write(data[: draw.randrange(1, len(data))] if draw.random() < 0.3 else data)
        await asyncio.sleep(draw.random() * 3)
        writer.close()
        right = True
    elif kind == "long":
        status, _ = await ask(body(i, messages=[{"role": "user", "content": "word " * 20000}]))
        right = status == 400
    else:
        data = bytearray(json.dumps(body(i, max_tokens=1, temperature=0)).encode())
        for _ in range(draw.randrange(1, 6)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        status, _ = await ask(bytes(data))
        right = status in (200, 400, 404)
    got[kind] += 1
    if not right:
        wrong.append(kind)


async def client(seed):
    draw = random.Random(seed)
    while time.monotonic() < ends:
        try:
            await one(draw)
        except Exception as e:
            wrong.append(f"{type(e).__name__} {e}")
        await asyncio.sleep(draw.random())


def resident():
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1024


async def watch(seen):
    while time.monotonic() < ends:
        await asyncio.sleep(10)
        seen.append(resident())


async def metric(name):
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET /metrics HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    _, page = await answer(reader)
    writer.close()
    return float(re.search(rf"^{name} (\S+)", page.decode(), re.M).group(1))


async def main():
    for i in range(24):
        status, whole = await ask(body(i))
        expected[i] = json.loads(whole)["choices"][0]["message"]["content"]
    seen = [resident()]
    await asyncio.gather(watch(seen), *(client(seed) for seed in range(clients)))
    for _ in range(100):
        stuck = await metric("distillery_requests_in_work")
        if stuck == 0:
            break
        await asyncio.sleep(0.1)
    third = len(seen) // 3
    begin, end = (max(part) for part in (seen[third : 2 * third + 1], seen[2 * third :]))
    print(f"{clients} clients, {minutes:g} minutes: " + ", ".join(f"{count} {kind}" for kind, count in sorted(got.items())))
    print(f"memory: {seen[0]:.0f} MiB at the start, at most {begin:.0f} in the second third, {end:.0f} in the last; {stuck:.0f} requests in work at the end")
    if end > 1.1 * begin:
        wrong.append("memory grows")
    if stuck:
        wrong.append("requests are stuck")
    if wrong:
        sys.exit(f"{len(wrong)} wrong: {collections.Counter(wrong).most_common(10)}")


asyncio.run(main())
