"""Times as the original's documents have them, made of microseconds without a clock or a calendar of the system."""


def timestamp_of(time_us: int) -> str:
    """Write a time (microseconds since 1970) in UTC with milliseconds: `2020-11-23T10:00:00.000Z`."""
    days, ms = divmod(time_us // 1000, 86_400_000)
    year, month, day = _date_of(days)
    seconds, ms = divmod(ms, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}.{ms:03d}Z"


def _date_of(days: int) -> tuple[int, int, int]:
    """Give year, month and day of a day since 1970. Years begin in March here, so that a leap day is the last."""
    eras, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    months = (5 * day_of_year + 2) // 153
    month = months + 3 if months < 10 else months - 9
    return year_of_era + eras * 400 + (month <= 2), month, day_of_year - (153 * months + 2) // 5 + 1
