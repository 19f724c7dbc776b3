"""Banks of register images: published together, read from other processes, never torn, gone at the end."""

import gc
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.protocols.masters import Master, read
from tests.protocols.test_endpoint_process import SharedMeter
from twin.contracts import RegisterBlock
from twin.protocols import BankPlan, Binding, EndpointProcess, RegisterImageBank, RegisterImageError

BLOCKS = (RegisterBlock(0x1000, 100), RegisterBlock(0x4000, 150))
WORDS = 250


def numbered(images, value):
    return np.full((images, WORDS), value, np.uint16)


def test_images_are_published_together_and_alone():
    with RegisterImageBank(BLOCKS, 3) as bank:
        assert [image.published_ns for image in bank.images] == [0, 0, 0]
        assert bank.images[2].read(0x4000, 2).tolist() == [0, 0]
        bank.publish(np.arange(3 * WORDS, dtype=np.uint16).reshape(3, WORDS), 5)
        assert [image.read(0x1000, 1)[0] for image in bank.images] == [0, 250, 500]
        for time_ns in (6, 7, 8):  # whatever copy each of them is at
            bank.images[1].publish(np.full(WORDS, time_ns, np.uint16), time_ns)
            assert [image.read(0x4095, 1)[0] for image in bank.images] == [249, time_ns, 749]
            bank.publish(numbered(3, 900 + time_ns), 10 * time_ns)
            assert [image.read(0x4001, 1)[0] for image in bank.images] == [900 + time_ns] * 3
            assert [image.published_ns for image in bank.images] == [10 * time_ns] * 3
            bank.publish(np.arange(3 * WORDS, dtype=np.uint16).reshape(3, WORDS), 5)


def test_another_view_of_the_memory_shows_the_same():
    with RegisterImageBank(BLOCKS, 2, log_bytes=10) as bank:
        again = RegisterImageBank.attach(os.dup(bank.descriptor), bank.plan)
        bank.publish(numbered(2, 3), 4)
        bank.log(1)[5] = 77
        assert again.images[1].read(0x1000, 1).tolist() == [3]
        assert (again.log(1)[5], again.log(0)[5]) == (77, 0)
        assert len(again.log(0)) % os.sysconf("SC_PAGE_SIZE") == 0
        again.close()
        again.close()
        assert again.images[0].published_ns == 4  # what is held stays readable


def test_what_does_not_fit_is_refused():
    with RegisterImageBank(BLOCKS, 2) as bank:
        for words in (numbered(1, 0), np.zeros((2, 9), np.uint16), numbered(2, 0).astype(np.int64)):
            with pytest.raises(RegisterImageError, match=r"expected uint16\[2, 250\]"):
                bank.publish(words, 1)
        other = RegisterImageBank(BLOCKS, 400)
        with pytest.raises(RegisterImageError, match="its plan says"):
            RegisterImageBank.attach(bank.descriptor, other.plan)
    with pytest.raises(RegisterImageError, match="at least one meter"):
        RegisterImageBank(BLOCKS, 0)
    with pytest.raises(RegisterImageError, match="at least one register block"):
        RegisterImageBank((), 1)


def test_room_for_logs_costs_no_memory_and_nothing_stays_in_the_file_system():
    before, shared = set(Path("/dev/shm").iterdir()), resident()
    banks = [RegisterImageBank(BLOCKS, 1000, log_bytes=2_000_000) for _ in range(3)]
    for bank in banks:
        bank.publish(numbered(1000, 1), 1)
    assert resident() - shared < 40e6
    assert set(Path("/dev/shm").iterdir()) == before
    descriptors = [bank.descriptor for bank in banks]
    del bank, banks
    gc.collect()
    for descriptor in descriptors:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


def resident():
    """Return the bytes of shared memory that this process has touched."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("RssShmem:"))


# -- never torn, under load ------------------------------------------------------------------------------

READER = """
import sys, time
from tests.protocols.test_image_bank import check_reads
check_reads(int(sys.argv[1]), float(sys.argv[2]))
"""


def check_reads(descriptor, seconds):
    """Read images as fast as possible; each must be of one number, and none older than the one before."""
    bank = RegisterImageBank.attach(descriptor, BankPlan(BLOCKS, 4, 0))
    last, seen, until = [0] * 4, 0, time.monotonic() + seconds
    while time.monotonic() < until:
        for row, image in enumerate(bank.images):
            words = image.read(0x4000, 125)
            low, high = int(words.min()), int(words.max())
            assert low == high, f"torn: {low} and {high}"
            # The number runs round at 65,536; a reader that looked away for long cannot tell.
            assert (low - last[row]) % 65536 < 60000, f"back from {last[row]} to {low}"
            seen += low != last[row]
            last[row] = low
    sys.stdout.write(str(seen))


def publish_at_full_speed(bank, done):
    value = 0
    while not done.is_set():
        value = (value + 1) % 65536
        bank.publish(numbered(4, value), value)
        bank.images[value % 4].publish(np.full(WORDS, value, np.uint16), value)


@pytest.fixture
def torrent():
    """A bank that a thread of this process publishes as fast as it can."""
    with RegisterImageBank(BLOCKS, 4) as bank:
        done = threading.Event()
        thread = threading.Thread(target=publish_at_full_speed, args=(bank, done))
        thread.start()
        yield bank
        done.set()
        thread.join()


def test_no_read_of_other_processes_is_torn(torrent):
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, str(torrent.descriptor), "1.5"],
            pass_fds=[torrent.descriptor],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for reader in readers:
        out, err = reader.communicate(timeout=60)
        assert (reader.returncode, err) == (0, "")
        assert int(out) > 100


def masters_read(addresses, seconds, pipe):
    """Poll as several masters at once would, and count how many numbers came."""
    until, seen = time.monotonic() + seconds, set()
    masters = [Master(address) for address in addresses for _ in range(2)]
    try:
        while time.monotonic() < until:
            for master in masters:
                words = np.frombuffer(master.ask(1, 1, read(0x4000, 125))[2:], ">u2")
                if words.min() != words.max():
                    pipe.send(f"torn: {words.min()} and {words.max()}")
                    return
                seen.add(int(words[0]))
        pipe.send(len(seen))
    finally:
        for master in masters:
            master.socket.close()


def test_no_read_of_modbus_masters_is_torn(torrent):
    bindings = [Binding("127.0.0.1", 0, {1: SharedMeter(torrent, row, f"m{row}", None)}) for row in range(4)]
    context = multiprocessing.get_context("spawn")
    with EndpointProcess(bindings, lambda command: None) as endpoints:
        ours, theirs = context.Pipe()
        process = context.Process(target=masters_read, args=(endpoints.addresses, 1.5, theirs))
        process.start()
        masters_read(endpoints.addresses, 1.5, here := Collected())
        process.join(30)
        assert ours.poll(0)
        for counted in (ours.recv(), *here):
            assert isinstance(counted, int), counted
            assert counted > 100
        ours.close()
        theirs.close()
        process.close()


class Collected(list):
    send = list.append


def test_a_socket_that_is_inherited_is_the_one_that_listens():
    """What the restart of endpoints rests on: connections wait in the queue of a socket, not of a process."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        program = f"import socket; socket.socket(fileno={listener.fileno()}).accept()[0].sendall(b'hi')"
        with socket.create_connection(listener.getsockname(), timeout=10) as master:
            subprocess.run([sys.executable, "-c", program], pass_fds=[listener.fileno()], check=True)
            assert master.recv(2) == b"hi"
