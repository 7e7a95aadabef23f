"""What is asked of a model that has been live and of one that was made anew from the log: every way to ask."""

from bus.log import LogMessage
from model.resolvers.summaries import SHIPPED
from schemas.evidence import EvidenceFilter
from schemas.queries import Ask, Follows, GetContext, GetPermission, ListApps, ListResolvers, ListRules, Query


def asks(context: list[str], log: list[LogMessage]) -> list[Ask]:
    """Ask about a context, now and as of the middle of the log."""
    middle = log[len(log) // 2]
    since = EvidenceFilter(name="since_time", since_time=middle.time_us / 1e6)
    return [
        Ask(context=context, include_evidence=True),
        Ask(context=context, evidence_filter=EvidenceFilter(name="last1")),
        Ask(context=context, evidence_filter=EvidenceFilter(name="last10"), include_evidence=True, explain=True),
        Ask(context=context, evidence_filter=EvidenceFilter(name="goal"), include_evidence=True),
        Ask(context=context, evidence_filter=since, include_evidence=True, resolver="recent"),
        Ask(context=context, evidence_filter=EvidenceFilter(name="recent_count", recent_count=2), explain=True),
        *_asks_of_held(context, middle),
        Ask(context=context, show_contexts=True),
        Ask(context=context, view="both"),
        Ask(context=context, explain=True, resolver="recent"),
        *(Ask(context=context, resolver=name) for name in SHIPPED),
        *(Ask(context=context, resolver=name, as_of_seq=middle.seq) for name in SHIPPED),
        Ask(context=context, as_of_seq=middle.seq, include_evidence=True, show_contexts=True),
        Ask(context=context, as_of_time=middle.time_us / 1e6, explain=True, evidence_filter=since),
    ]


def small_queries(context: list[str], log: list[LogMessage]) -> list[Query]:
    """Ask for all else about a context; of the root also for what is about the whole model."""
    middle = log[len(log) // 2].seq
    queries: list[Query] = [
        GetContext(context=context, size=True),
        GetContext(context=context, as_of_seq=middle),
        ListRules(context=context),
        GetPermission(app="probe", context=context),
        *(Follows(context=context, component="a", seq=one.seq) for one in log[3:40:5]),
        GetPermission(app="probe", context=context, component="a"),
    ]
    return queries if context else [*queries, ListApps(), ListApps(as_of_seq=middle), ListResolvers()]


def _asks_of_held(context: list[str], middle: LogMessage) -> list[Ask]:
    times = [middle.time_us / 1e6 - 100, middle.time_us / 1e6, middle.time_us / 1e6 + 1000]
    period = EvidenceFilter(name="held", held_from=times[0], held_until=times[1])
    return [
        *(Ask(context=context, held_at=time, include_evidence=True, explain=True) for time in times),
        Ask(context=context, held_at=times[1], resolver="recent", as_of_seq=middle.seq),
        Ask(context=context, held_at=times[2], evidence_filter=EvidenceFilter(name="last10"), include_evidence=True),
        Ask(context=context, evidence_filter=period, include_evidence=True, explain=True),
        Ask(context=context, evidence_filter=period, resolver="count"),
    ]
