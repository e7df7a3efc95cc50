"""The peer of the benchmark: N requests to an OpenAI-compatible server, K at a time, by aiohttp in one process.

Keeps every reply in memory and writes nothing: no ledger, no limits, no resume. Prints one line of JSON.
"""

import argparse
import asyncio
import json
import resource
import time

import aiohttp


async def main(url: str, count: int, concurrency: int) -> None:
    numbers = iter(range(count))
    replies = []

    async def worker(session: aiohttp.ClientSession) -> None:
        for number in numbers:
            body = {
                "model": "fake-model",
                "max_tokens": 64,
                "messages": [{"role": "user", "content": f"Say something about the number {number}"}],
            }
            async with session.post(url + "/chat/completions", json=body) as response:
                replies.append(await response.json())

    start = time.perf_counter()
    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(worker(session) for _ in range(concurrency)))
    seconds = time.perf_counter() - start
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "client": "aiohttp",
                "requests": len(replies),
                "seconds": round(seconds, 2),
                "requests_per_second": round(len(replies) / seconds, 1),
                "cpu_ms_per_request": round(1000 * (usage.ru_utime + usage.ru_stime) / len(replies), 3),
                "max_rss_mb": usage.ru_maxrss // 1024,
            }
        )
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--concurrency", type=int, default=64)
    options = parser.parse_args()
    asyncio.run(main(options.url, options.count, options.concurrency))
