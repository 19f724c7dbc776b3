"""What a live site costs: one browser on the overview, one master at 1 Hz, 60 s at real time.

Limits: 25 % of one core for all processes of the site, 700 MB in all (PSS), lateness held, and a
72-register read within 20 ms (p99).
"""

import socket
import struct
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.live_site import LiveSite, scenario_on_free_ports

SECONDS = 60.0


def read_registers(connection: socket.socket, transaction: int, address: int, count: int) -> bytes:
    """Return the data of one FC03 answer, by a hand-built frame."""
    connection.sendall(struct.pack(">HHHBBHH", transaction, 0, 6, 1, 3, address, count))
    answer = b""
    while len(answer) < 9 + 2 * count:
        part = connection.recv(4096)
        if not part:
            raise ConnectionError("the meter closed the connection")
        answer += part
    if answer[7] != 3:
        raise ValueError(f"exception {answer[8]}")
    return answer[9:]


def site_processes(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def cpu_seconds(pid: int) -> float:
    times = [process.cpu_times() for process in site_processes(pid)]
    return sum(item.user + item.system for item in times)


def pss_bytes(pid: int) -> int:
    return sum(process.memory_full_info().pss for process in site_processes(pid))


def main() -> None:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with LiveSite(scenario_on_free_ports(folder), folder) as site, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(site.ready["dashboard"])
            endpoint = site.ready["endpoints"][0]
            latencies, ahead = [], []
            with socket.create_connection((endpoint["host"], endpoint["port"])) as master:
                time.sleep(5)
                cpu, started = cpu_seconds(site.pid), time.monotonic()
                for poll in range(int(SECONDS)):
                    time.sleep(max(0.0, started + poll - time.monotonic()))
                    # The poll that counts, and a burst whose reads land anywhere in the site's work.
                    for burst in range(20):
                        asked = time.perf_counter()
                        read_registers(master, (20 * poll + burst) & 0xFFFF, 0x4000, 72)
                        latencies.append(time.perf_counter() - asked)
                    clock = struct.unpack(">6H", read_registers(master, 0, 0x1040, 6))
                    simulated = 3600 * clock[3] + 60 * clock[4] + clock[5]
                    ahead.append(simulated - (time.monotonic() - started))
                elapsed = time.monotonic() - started
                share = (cpu_seconds(site.pid) - cpu) / elapsed
            memory = pss_bytes(site.pid) / 1e6
            browser.close()
    latencies.sort()
    p50, p99 = latencies[len(latencies) // 2], latencies[int(0.99 * len(latencies))]
    drift = max(ahead) - min(ahead)
    print(f"time held            within {drift:.2f} s over {SECONDS:.0f} s; the clock shows whole seconds")
    print(f"CPU, all processes   {100 * share:6.1f} %    limit 25 % of one core")
    print(f"memory (PSS)         {memory:6.0f} MB   limit 700 MB")
    print(f"72-register read     p50 {1e3 * p50:.2f} ms, p99 {1e3 * p99:.2f} ms   limit 20 ms")


if __name__ == "__main__":
    main()
