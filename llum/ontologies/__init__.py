"""The ontologies: files that name settings and say which of them mean the same, llum's own and the operator's."""
