"""How many notices an app may set off in an hour."""

from actors.effects.notice_count import HOUR_S, NoticeCount


def test_each_app_of_each_person_has_its_own_count() -> None:
    """What is relayed again counts once; the next hour begins anew."""
    count = NoticeCount()

    def allows(notice: str, app: str = "probe", user: str = "alice", time_s: float = 0.0) -> bool:
        return count.allows(user, app, time_s, notice, 2)

    assert [allows("1"), allows("2"), allows("3"), allows("1")] == [True, True, False, True]
    assert allows("3", app="other")
    assert allows("3", user="bob")
    assert not allows("3", time_s=HOUR_S - 1)
    assert allows("3", time_s=HOUR_S)


def test_a_quota_of_nothing_allows_nothing() -> None:
    """An operator can stop the notices of an app."""
    assert not NoticeCount().allows("alice", "probe", 0.0, "1", 0)
