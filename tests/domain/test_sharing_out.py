"""Who takes which enterprise when a colleague leaves."""

from crm.domain.sharing_out import Shareable, share_out

A, B, C = 11, 12, 13


def firms(**townships: int) -> list[Shareable]:
    """So many enterprises of each township, numbered in order; the township is the number in its name."""
    found = []
    for name, n in townships.items():
        found += [Shareable(len(found) + 1 + i, int(name[1:])) for i in range(n)]
    return found


def test_a_township_goes_to_one_person():
    items = firms(t1=4, t2=3, t3=2)

    shared = share_out(items, [A, B])

    assert [shared[i] for i, _ in items] == [A, A, A, A, B, B, B, B, B]


def test_the_larger_townships_are_dealt_first_so_that_the_shares_come_out_near_each_other():
    shared = share_out(firms(t1=1, t2=5, t3=3, t4=3), [A, B])

    assert sorted(list(shared.values()).count(person) for person in (A, B)) == [6, 6]


def test_a_township_that_was_promised_to_somebody_goes_there_and_counts_as_their_load():
    items = firms(t1=3, t2=2)

    shared = share_out(items, [A, B], by_township={1: B})

    assert [shared[i] for i, _ in items] == [B, B, B, A, A]


def test_what_nobody_may_hold_is_left_out():
    shared = share_out(firms(t1=2), [A], able={A: frozenset({1})})

    assert shared == {1: A}


def test_a_firm_in_another_district_goes_to_whoever_holds_that_district():
    shared = share_out(firms(t1=2), [A, B], able={A: frozenset({1}), B: frozenset({2})})

    assert shared == {1: A, 2: B}


def test_enterprises_without_a_township_stay_together_too():
    items = [Shareable(1, None), Shareable(2, None), Shareable(3, 7)]

    assert share_out(items, [A, B]) == {1: A, 2: A, 3: B}


def test_the_same_enterprises_are_always_shared_out_alike():
    items = firms(t1=2, t2=2, t3=2, t4=1)

    assert share_out(items, [A, B, C]) == share_out(list(items), [A, B, C])
