"""Who may manage the links of a file: the one table that policy, permission, filter and views obey.

Visiting is not in it: a link opens for whoever has it, as long as its owner is active.
"""

Actor = tuple[str, dict[str, bool] | None, bool]

ACTORS: list[Actor] = [
    # name, what the user is (None: nobody), whether links may be created, listed and revoked
    ("anonymous", None, False),
    ("owner", {}, True),
    ("other user", {}, False),
    ("staff", {"is_staff": True}, True),
    ("superuser", {"is_staff": True, "is_superuser": True}, True),
    ("superuser who is no staff", {"is_superuser": True}, False),
    ("inactive owner", {"is_active": False}, False),
    ("inactive other user", {"is_active": False}, False),
    ("inactive staff", {"is_active": False, "is_staff": True}, False),
    ("inactive superuser", {"is_active": False, "is_staff": True, "is_superuser": True}, False),
]
