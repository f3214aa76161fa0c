class TestNames:
    @pytest.mark.parametrize(
        "name",
        ["a\r\nSet-Cookie: b=c.txt", "a\nb.txt", "a\rb.txt", "a\0b.txt", "\x1b[2J.txt", "\x85.txt"],
    )
    def test_one_with_control_characters_stays_one_line(self, name: str) -> None:
        header = disposition(name, attachment=True)
        assert header.isprintable()
        assert header.isascii()

    @pytest.mark.parametrize("backend", LOCAL)
    @pytest.mark.parametrize(
        ("name", "status"),
        [("a\r\nSet-Cookie: b=c", 200), ("..", 200), ("../a.txt", 404), ("a/b.txt", 404)],
    )
    def test_one_that_only_the_database_could_be_made_to_hold_adds_no_header(
        self, name: str, status: int, backend: str, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = delivery(backend)
        link = DirectLinkFactory()
        DirectLink.objects.filter(pk=link.pk).update(name=name)
        link.refresh_from_db()
        response = document(link)
        assert response.status_code == status
        assert "Set-Cookie" not in response.headers
        assert all(value.isprintable() for value in response.headers.values())

    @pytest.mark.parametrize("backend", LOCAL)
    def test_one_that_reorders_itself_is_put_straight_whoever_delivers(
        self, backend: str, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = delivery(backend)
        response = document(DirectLinkFactory(file__path='a"\u202e;fdp.exe'))
        expected = 'attachment; filename="a\\";fdp.exe"'
        assert response.headers["Content-Disposition"] == expected

    def test_no_name_is_longer_than_a_file_system_holds(self) -> None:
        link = DirectLinkFactory(file__path="é" * 127)
        assert len(document(link).headers["Content-Disposition"]) < 800

    @pytest.mark.parametrize("prefix", ["/f/", "/f/d/"])
    @pytest.mark.parametrize("accept", [BROWSER, {}])
    def test_one_that_a_visitor_made_up_is_not_repeated(
        self, prefix: str, accept: dict[str, str]
    ) -> None:
        link = DirectLinkFactory(file__path="a.pdf")
        response = Client().get(f"{prefix}{link.code}/evil%3Cscript%3E.html", headers=accept)
        assert response.status_code == 404
        assert b"evil" not in response.content
        assert "evil" not in str(response.headers)
