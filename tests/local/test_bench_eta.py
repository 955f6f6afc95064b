"""The bench of estimates: the same city for the same seed, and learning that is worth it."""

from bench import eta


def test_what_was_learned_is_nearer_to_what_comes_than_the_menu_or_the_chefs_word() -> None:
    found = eta.measure(chefs=20, orders=150, seed=11)

    assert found["placed"]["ratio"] < 0.5
    assert found["accepted"]["ratio"] < 0.5
    assert found["by the chef's word"]["ratio"] < 0.7
    assert all(abs(told["learned"]["median"]) < 2 for told in found.values())


def test_kitchens_that_are_new_are_estimated_no_worse_than_by_their_menu() -> None:
    found = eta.measure(chefs=400, orders=3, seed=11)

    assert all(told["ratio"] <= 1.05 for told in found.values())


def test_the_same_seed_is_the_same_city() -> None:
    assert eta.measure(5, 20, seed=3) == eta.measure(5, 20, seed=3)
    assert eta.measure(5, 20, seed=3) != eta.measure(5, 20, seed=4)
