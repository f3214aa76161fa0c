class TestRequestsThatAreTooMuch:
    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (json.dumps({"uris": ["x"] * 100_000}).encode(), 40074),
            (b'{"uris":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 40001),
            (b'{"uris":[' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"]}", 40001),
            (b'{"uris":["' + b"a" * 10_000_000 + b'"]}', 413),
        ],
    )
    def test_they_are_refused_before_any_query_but_the_users_row(
        self, body: bytes, code: int
    ) -> None:
        client = APIClient(UserFactory())
        with CaptureQueriesContext(connection) as queries:
            response = client.call("PUT", "file/source", body)
        assert response.json()["code"] == code
        assert len(queries) == 1


class TestPaths:
    @pytest.mark.parametrize(
        "written",
        [
            "folder\\a.txt",
            "folder%5Ca.txt",
            "..%5Cfolder%5Ca.txt",
            "folder%2F%2E%2E%5Cfolder%2Fa.txt",
            "folder/a.txt%00",
            "folder/a.txt%20",
            "folder/a.txt.",
            "folder/A.TXT",
            "folder/%EF%BD%81.txt",
            "folder%252Fa.txt",
            "folder%E2%88%95a.txt",
            "folder/%C0%AE%C0%AE/folder/a.txt",
        ],
    )
    def test_one_that_is_no_spelling_of_a_file_leads_to_none(self, written: str) -> None:
        file = FileFactory(path="folder/a.txt")
        response = APIClient(file.owner).put(f"cloudreve://my/{written}")
        (error,) = response.json()["aggregated_error"].values()
        assert (response.status_code, error["code"]) == (200, 40016)
        assert not DirectLink.objects.exists()

    def test_unicode_that_looks_alike_is_a_link_each(self) -> None:
        owner = UserFactory()
        paths = ["\u00e9.txt", "e\u0301.txt"]
        for path in paths:
            FileFactory(owner=owner, path=path, data=path.encode())
        answer = APIClient(owner).put(*map(file_url, paths)).json()
        found = [Client().get(item["link"]).headers["Location"] for item in answer["data"]]
        bodies = [Client().get(target).getvalue() for target in found]
        assert bodies == [path.encode() for path in paths]
