"""The steps that write and that several verbs share: looks, verdicts, promotion."""
