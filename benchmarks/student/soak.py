#!/usr/bin/env python3
"""Runs 2,000 training steps and 10,000 generations and fails where resident memory grows.

    python benchmarks/student/soak.py

Needs CLASSPATH as compare.py does. The peak of resident memory after a quarter of the work may be exceeded by the
rest by 16 MB at most.
"""
import subprocess
import sys

ALLOWED_MB = 16


def soak(arguments, runs):
    process = subprocess.Popen(
        ["java", "-Xmx128m", "-XX:+UseSerialGC", "--add-modules=jdk.incubator.vector",
         "dev.distillery.model.cpu.StudentBenchmark", *arguments, "2"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(line):
        process.stdin.write(line + "\n")
        process.stdin.flush()
        while True:
            answer = process.stdout.readline()
            if not answer:
                sys.exit("The student's process ended")
            if answer[0].isdigit():
                return float(answer.split()[0])

    peaks = []
    for run in range(runs):
        ask("go")
        if run % (runs // 8) == runs // 8 - 1:
            peaks.append(ask("memory"))
    process.kill()
    print(" ".join(arguments), "peaks in MB:", *(f"{p:.0f}" for p in peaks))
    return peaks[-1] - peaks[1] <= ALLOWED_MB


if __name__ == "__main__":
    flat = [soak(["train", "tiny", "4", "32"], 2000), soak(["decode", "tiny", "16", "8"], 625)]
    sys.exit(0 if all(flat) else 1)
