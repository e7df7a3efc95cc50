"""See benchmarks/serve/speed. Usage: speed.py llama MODEL THREADS | compare OURS THEIRS SEED_TASKS ROUNDS"""
import asyncio
import json
import statistics
import sys
import time

SEATS = 16


def llama(model, threads):
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.n_parallel, params.n_ctx = SEATS, SEATS * 2048
    params.port = 0
    server = xllamacpp.Server(params)
    print(server.listening_address + "/v1", flush=True)
    while True:
        time.sleep(3600)


async def ask(session, address, prompt, tokens):
    """Seconds to the first token, from it to the last, and how many were written."""
    body = {"model": "student", "messages": [{"role": "user", "content": prompt}], "max_tokens": tokens, "temperature": 0, "stream": True, "stream_options": {"include_usage": True}}
    began, first, last, written = time.perf_counter(), None, None, 0
    async with session.post(address + "/chat/completions", json=body) as response:
        assert response.status == 200, await response.text()
        async for line in response.content:
            if not line.startswith(b"data: {"):
                continue
            event = json.loads(line[6:])
            if event.get("choices") and event["choices"][0]["delta"].get("content"):
                last = time.perf_counter()
                first = first or last
            if event.get("usage"):
                written = event["usage"]["completion_tokens"]
    return first - began, last - first, written


async def alone(session, address, prompts):
    asked = [await ask(session, address, prompt, 64) for prompt in prompts[:8]]
    return {"first token alone, s": statistics.median(a[0] for a in asked), "tokens/s alone": sum(a[2] - 1 for a in asked) / sum(a[1] for a in asked)}


async def together(session, address, prompts):
    left = list(prompts[: 3 * SEATS])
    asked = []

    async def client():
        while left:
            asked.append(await ask(session, address, left.pop(), 64))

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(SEATS)))
    seconds = time.perf_counter() - began
    return {f"first token of {SEATS} clients, s": statistics.median(a[0] for a in asked), f"tokens/s of {SEATS} clients": sum(a[2] for a in asked) / seconds}


async def long(session, address, prompts):
    asked = [await ask(session, address, f"{i}. " + " ".join(prompts[i * 20 : i * 20 + 20])[:3200], 2) for i in range(3)]
    return {"first token of a long prompt, s": statistics.median(a[0] for a in asked)}


async def compare(addresses, tasks, rounds):
    import aiohttp

    instructions = [json.loads(line)["instruction"] for line in open(tasks)]
    found = {address: {} for address in addresses}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True), timeout=aiohttp.ClientTimeout(total=600)) as session:
        for turn in range(-1, rounds):
            for address in addresses:
                # A beginning of its own for each turn, so that neither side has read it before.
                prompts = [f"Turn {turn}. {text}" for text in instructions]
                for measure in (alone, together, long):
                    for name, value in (await measure(session, address, prompts)).items():
                        if turn >= 0:
                            found[address].setdefault(name, []).append(value)
            print(f"turn {turn + 1} of {rounds}", file=sys.stderr)
    ours, theirs = (found[address] for address in addresses)
    for name in ours:
        a, b = statistics.median(ours[name]), statistics.median(theirs[name])
        print(f"{name}: serve {a:.3g}, llama.cpp {b:.3g}, ratio {a / b if name.startswith('tokens') else b / a:.2f}")


if sys.argv[1] == "llama":
    llama(sys.argv[2], int(sys.argv[3]))
else:
    asyncio.run(compare(sys.argv[2:4], sys.argv[4], int(sys.argv[5])))
