class TestFilesOfOthers:
    @pytest.mark.parametrize(
        "user", ["{pk}", "{pk}:password", "{encoded}", "{name}", "0{pk}", "+{pk}", "{pk}%00"]
    )
    def test_no_spelling_of_their_owner_opens_them(self, user: str) -> None:
        file = FileFactory(path="a.txt")
        key = str(file.owner.pk)
        encoded = "".join(f"%{ord(digit):02X}" for digit in key)
        part = user.format(pk=key, encoded=encoded, name=file.owner.username)
        answer = APIClient(UserFactory()).put(f"cloudreve://{part}@my/a.txt").json()
        (error,) = answer["aggregated_error"].values()
        assert error["code"] in (403, 40016)
        assert not DirectLink.objects.exists()

    def test_nothing_tells_one_that_is_there_from_one_that_is_not(self) -> None:
        owner = FileFactory(path="there.txt").owner
        stranger = APIClient(UserFactory(), **{"X-Request-ID": "0" * 32})
        answers = [
            stranger.put(f"cloudreve://{owner.pk}@my/{name}.txt").content.replace(
                name.encode(), b""
            )
            for name in ("there", "gone")
        ]
        assert answers[0] == answers[1]
        assert owner.username.encode() not in answers[0]
