"""Register images: what a reader gets is one publication as a whole."""

import multiprocessing
import subprocess
import sys
import threading
import time
from timeit import repeat

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.contracts import BEYOND_REGISTERS, RegisterBlock
from twin.protocols import RegisterImage, RegisterImageError

BLOCKS = (RegisterBlock(0x1000, 100), RegisterBlock(0x4000, 72), RegisterBlock(0x4048, 28))


@pytest.fixture
def image():
    with RegisterImage(BLOCKS) as image:
        image.publish(np.arange(200, dtype=np.uint16), 7)
        yield image


def test_reads_by_address(image):
    assert image.read(0x1000, 2).tolist() == [0, 1]
    assert image.read(0x1063, 1).tolist() == [99]
    assert image.read(0x4000, 1).tolist() == [100]
    assert image.read(0x4000, 1).dtype == np.uint16
    assert image.published_ns == 7


def test_adjacent_blocks_are_read_as_one(image):
    assert image.read(0x4000, 100).tolist() == list(range(100, 200))
    assert image.read(0x4046, 4).tolist() == [170, 171, 172, 173]


@pytest.mark.parametrize(
    ("address", "count"),
    [
        (0xFFF, 1),
        (0xFFF, 2),
        (0x1063, 2),
        (0x1064, 1),
        (0x4063, 2),
        (0xFFFF, 1),
        (0xFFFF, 2),
        (0, 1),
        (0x1000, 0),
    ],
)
def test_addresses_that_do_not_exist(image, address, count):
    assert image.read(address, count) is None


def test_what_was_read_does_not_change_afterwards(image):
    words = image.read(0x1000, 3)
    for value in (5, 6, 7):
        image.publish(np.full(200, value, np.uint16), value)
    assert words.tolist() == [0, 1, 2]
    assert image.read(0x1000, 3).tolist() == [7, 7, 7]
    assert image.published_ns == 7


def test_before_the_first_publication_all_is_zero():
    with RegisterImage(BLOCKS) as image:
        assert image.read(0x1000, 100).tolist() == [0] * 100
        assert image.published_ns == 0


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), min_size=1, max_size=8),
    st.integers(0, 130),
    st.integers(1, 40),
)
@settings(max_examples=100, deadline=None)
def test_reads_agree_with_a_dictionary(gaps, address, count):
    blocks, at = [], 0
    for gap, size in gaps:
        blocks.append(RegisterBlock(at + gap, size))
        at += gap + size
    existing = [each for block in blocks for each in range(block.address, block.address + block.count)]
    words = {each: 1000 + index for index, each in enumerate(existing)}
    with RegisterImage(blocks) as image:
        image.publish(np.array(list(words.values()), np.uint16), 1)
        found = image.read(address, count)
    expected = [words.get(each) for each in range(address, address + count)]
    assert (None in expected) == (found is None)
    if found is not None:
        assert found.tolist() == expected


@pytest.mark.parametrize(
    "blocks",
    [
        (),
        (RegisterBlock(5, 0),),
        (RegisterBlock(-1, 3),),
        (RegisterBlock(2 * BEYOND_REGISTERS - 1, 2),),
        (RegisterBlock(10, 5), RegisterBlock(14, 1)),
        (RegisterBlock(10, 5), RegisterBlock(0, 1)),
    ],
)
def test_refuses_blocks_that_make_no_image(blocks):
    with pytest.raises(RegisterImageError):
        RegisterImage(blocks)


@pytest.mark.parametrize(
    "words", [np.zeros(199, np.uint16), np.zeros(200, np.int64), np.zeros((2, 100), np.uint16)]
)
def test_refuses_words_that_do_not_fit(image, words):
    with pytest.raises(RegisterImageError, match=r"uint16\[200\]"):
        image.publish(words, 8)
    assert image.published_ns == 7


def test_attaching_shows_the_same_words(image):
    reader = RegisterImage.attach(image.name, BLOCKS)
    assert reader.read(0x4000, 2).tolist() == [100, 101]
    image.publish(np.full(200, 9, np.uint16), 99)
    assert reader.read(0x4000, 2).tolist() == [9, 9]
    assert reader.published_ns == 99
    reader.unlink()  # not the owner: nothing happens
    reader.close()
    reader.close()
    assert image.read(0x4000, 1).tolist() == [9]


def test_attaching_to_nothing_or_with_other_blocks(image):
    with pytest.raises(RegisterImageError, match="no register image named"):
        RegisterImage.attach("no-such-image", BLOCKS)
    with pytest.raises(RegisterImageError, match="holds 200 words, the given blocks 100"):
        RegisterImage.attach(image.name, BLOCKS[:1])


def _check_wholeness(read, published_ns, seconds, least):
    """Read while somebody publishes constant images; every image must be constant, time monotonic."""
    until = time.monotonic() + seconds
    seen, last, last_ns = set(), -1, -1
    while time.monotonic() < until or len(seen) < least:
        words = read(0x1000, 100)
        assert words.min() == words.max(), "torn"
        assert words[0] >= last, "went back in time"
        last = words[0]
        seen.add(int(last))
        now_ns = published_ns()
        assert now_ns >= last_ns
        last_ns = now_ns
        if last == 65535 or time.monotonic() > until + 30:
            break
    assert len(seen) >= least


def test_no_torn_reads_beside_a_writing_thread():
    done = threading.Event()
    with RegisterImage(BLOCKS) as image:

        def write():
            for value in range(1, 65536):
                image.publish(np.full(200, value, np.uint16), value)
                if done.is_set():
                    break

        thread = threading.Thread(target=write)
        thread.start()
        try:
            _check_wholeness(image.read, lambda: image.published_ns, 1.0, 2)
        finally:
            done.set()
            thread.join()


def _publish_until(connection):
    with RegisterImage(BLOCKS) as image:
        connection.send(image.name)
        value = 0
        while not connection.poll():
            # Slowly enough that 16 bits last for the test, in bursts that race with the reader.
            for _ in range(20):
                value = min(value + 1, 65535)
                image.publish(np.full(200, value, np.uint16), value)
            time.sleep(0.0005)
        connection.recv()


def test_no_torn_reads_beside_a_writing_process():
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_publish_until, args=(theirs,))
    process.start()
    reader = RegisterImage.attach(ours.recv(), BLOCKS)
    try:
        _check_wholeness(reader.read, lambda: reader.published_ns, 1.0, 100)
    finally:
        reader.close()
        ours.send("enough")
        process.join(10)
        ours.close()
        theirs.close()
    assert process.exitcode == 0
    process.close()


def test_leaves_nothing_behind_and_no_warning():
    """The tracker of shared memory speaks up at the end of a program: so a whole program is run."""
    program = """
import subprocess, sys
import numpy as np
from twin.contracts import BEYOND_REGISTERS, RegisterBlock
from twin.protocols import RegisterImage
blocks = (RegisterBlock(0, 10),)
child = '''
import sys
from twin.contracts import BEYOND_REGISTERS, RegisterBlock
from twin.protocols import RegisterImage
image = RegisterImage.attach(sys.argv[1], (RegisterBlock(0, 10),))
assert image.read(3, 1).tolist() == [3]
image.close()
'''
image = RegisterImage(blocks)
image.publish(np.arange(10, dtype=np.uint16), 1)
for _ in range(2):  # a reader's end must not free the memory
    subprocess.run([sys.executable, "-W", "error", "-c", child, image.name], check=True)
again = RegisterImage.attach(image.name, blocks)
again.close()
assert image.read(9, 1).tolist() == [9]
image.close()
image.unlink()
try:
    RegisterImage.attach(image.name, blocks)
except ValueError:
    print("gone")
"""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "gone\n", "")


def test_many_images_raise_the_limit_of_open_files():
    program = """
import resource
from twin.contracts import BEYOND_REGISTERS, RegisterBlock
from twin.protocols import RegisterImage
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
images = [RegisterImage([RegisterBlock(0, 10)]) for _ in range(100)]
for image in images:
    image.close()
    image.unlink()
print(len(images))
"""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "100\n", "")


def test_a_read_of_72_registers_takes_under_5_microseconds(image):
    best = min(repeat(lambda: image.read(0x4000, 72), number=1000, repeat=20)) / 1000
    assert best < 5e-6
