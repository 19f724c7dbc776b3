"""The log of changed rows stays small however long a site runs."""

from dashboards.feed import _REMOVALS_KEPT, ChangeLog


def test_a_new_page_is_not_told_of_what_went_before_it_came():
    log = ChangeLog()
    log.update(1, [["a", 1]])
    log.update(2, [["b", 1]])
    assert log.removed_since(-1) == []
    assert log.removed_since(1) == ["a"]
    assert log.removed_since(2) == []


def test_removals_are_forgotten_oldest_first():
    log = ChangeLog()
    for sequence in range(3 * _REMOVALS_KEPT):
        log.update(sequence, [[sequence, 0]])
    removed = log.removed_since(0)
    assert len(removed) <= 2 * _REMOVALS_KEPT
    assert removed[-1] == 3 * _REMOVALS_KEPT - 2
