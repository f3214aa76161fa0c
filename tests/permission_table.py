"""Who may do what: the one table that policy, permission, filter and views obey."""

Actor = tuple[str, dict[str, bool] | None, bool, bool]

ACTORS: list[Actor] = [
    # name; what the user is (None: nobody); may create, list and revoke links; may visit them
    ("anonymous", None, False, True),
    ("owner", {}, True, True),
    ("other user", {}, False, True),
    ("staff", {"is_staff": True}, True, True),
    ("superuser", {"is_staff": True, "is_superuser": True}, True, True),
    ("superuser who is no staff", {"is_superuser": True}, False, True),
    # The links of an inactive owner stop, for everybody.
    ("inactive owner", {"is_active": False}, False, False),
    ("inactive other user", {"is_active": False}, False, True),
    ("inactive staff", {"is_active": False, "is_staff": True}, False, True),
    (
        "inactive superuser",
        {"is_active": False, "is_staff": True, "is_superuser": True},
        False,
        True,
    ),
]
