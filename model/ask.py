"""Asking, in two steps: `plan_ask` says what evidence must be read, `finish_ask` makes the reply from what was found.

The three built-in resolvers over all evidence need only the latest of each kind, which the model keeps in memory: then
there is nothing to read and the cost does not depend on how much evidence there is. `remember` keeps what had to be
read for that. Evidence that expires never counts again, so an older piece may take its place in memory.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from model import permissions
from model.evidence import EVERYTHING, Selection, decode_evidence, is_expired, selection_of, to_us, unexpired
from model.explain import Explained, explain, explain_reads
from model.paging import Budget, Page, page_of
from model.reading import Found as Found
from model.reading import Read as Read
from model.resolvers import BUILT_IN, DEFAULT_RESOLVER, Kind, Resolved, Resolver, Resolvers
from model.state import Context, Latest, Model
from model.views import Place, Target, Targets, find_targets
from schemas.errors import Code, Refusal
from schemas.evidence import Evidence
from schemas.limits import MAX_EVIDENCE_CONSIDERED, MAX_EVIDENCE_PAGE, MAX_REPLY_BYTES
from schemas.paths import Path
from schemas.queries import Ask
from schemas.replies import AccessReply, AskReply, ComponentAnswer, ComponentFailure

ResolverFrom = Literal["ask", "component", "context", "default"]
