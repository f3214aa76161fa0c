"""Each page of the admin in the themes that sites install, in Chromium: readable and in reach."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, Page

from tests.real.admin_sites import STAFF, admin_site
from tests.real.chromium import chromium, enter_admin
from tests.real.screenshots import DESK, FILES, LINKS
from tests.real.servers import Server, gunicorn
from tests.real.sites import Site

# Themes have scripts in their pages, which the strict policy of the site forbids.
LAX = 'MIDDLEWARE.remove("mysite.strict.policy")\n'
GRAPPELLI_URLS = """
from mysite.urls import *
urlpatterns.insert(0, path("grappelli/", include("grappelli.urls")))
"""


@dataclass(frozen=True, slots=True)
class Theme:
    """``settings`` as its README has them.

    ``links`` is the contrast of its own links, which ours among them look like.
    """

    settings: str = ""
    links: float = 4.5


THEMES = {
    "django": Theme(),
    "jazzmin": Theme(f'{LAX}INSTALLED_APPS.insert(0, "jazzmin")\n', links=3.5),
    "unfold": Theme(f'{LAX}INSTALLED_APPS.insert(0, "unfold")\n'),
    "grappelli": Theme(
        f'{LAX}INSTALLED_APPS.insert(0, "grappelli")\nROOT_URLCONF = "mysite.grappelli_urls"\n',
        links=2.7,
    ),
}

# What is wrong with our elements on a page. Colours are drawn to be read: a theme may name them in
# any notation, and lay one half transparent over another.
FAULTS = """([links, fills]) => {
    document.getAnimations().forEach(animation => animation.finish());
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    const ink = canvas.getContext("2d", {willReadFrequently: true});
    const known = new Map();
    const drawn = colours => {
        const key = colours.join();
        known.has(key) || known.set(key, draw(colours));
        return known.get(key);
    };
    const draw = colours => {
        ink.clearRect(0, 0, 1, 1);
        for (const colour of colours) {
            ink.fillStyle = colour;
            ink.fillRect(0, 0, 1, 1);
        }
        return ink.getImageData(0, 0, 1, 1).data;
    };
    const layers = element => {
        const found = [];
        for (let at = element; at; at = at.parentElement) {
            const colour = getComputedStyle(at).backgroundColor;
            found.unshift(colour);
            if (drawn([colour])[3] === 255) {
                return found;
            }
        }
        return ["Canvas", ...found];
    };
    const light = colours => {
        const [red, green, blue] = [...drawn(colours)].map(part => part / 255).map(
            part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
        );
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
    };
    const contrast = (colour, below) => {
        const pair = [light([...below, colour]), light(below)];
        return Math.max(...pair) / Math.min(...pair);
    };

    const named = element => element?.outerHTML.slice(0, 150);
    const faults = [];
    const expect = (found, wanted, what, element) => {
        if (found < wanted) {
            faults.push(`${what} ${found.toFixed(2)} < ${wanted}: ${named(element)}`);
        }
    };
    const all = selector => [...document.querySelectorAll(selector)].filter(
        element => element.checkVisibility() && element.getClientRects().length
    );

    const buttons = all(
        "button.dl-copy, .dl-verbs button, .dl-ask :is([type=submit], .closelink), .dl-tool a"
    );
    // A theme that has a list for such links draws them like its own.
    const ours = buttons.filter(button => !button.closest("ul > .dl-tool"));

    for (const element of all('[class*="dl-"], [class*="dl-"] *')) {
        const style = getComputedStyle(element);
        const link = element.closest("a");
        if (element.matches("rect")) {
            expect(contrast(style.fill, layers(element)), 3, "bar", element);
        } else if (element.matches("polyline")) {
            expect(contrast(style.stroke, layers(element)), 3, "line", element);
        } else if (!element.closest("svg, ul > .dl-tool") && (
            element.matches("[type=submit]")
            || [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())
        )) {
            const theirs = link && !ours.includes(link)
                && style.color === getComputedStyle(link).color;
            expect(contrast(style.color, layers(element)), theirs ? links : 4.5, "text", element);
        }
    }
    for (const button of ours) {
        const style = getComputedStyle(button);
        const outside = layers(button.parentElement);
        const bordered = parseFloat(style.borderTopWidth) > 0;
        if (bordered || fills) {
            const edge = bordered ? style.borderTopColor : style.backgroundColor;
            expect(contrast(edge, outside), 3, "edge", button);
        }
        expect(button.clientWidth + 1, button.scrollWidth, "width", button);
    }
    for (const field of all("#directlink_form, #file_form, .dl-ask").flatMap(form => [
        ...form.querySelectorAll("input:is([type=text], [type=number], [type=password]), textarea")
    ])) {
        expect(parseFloat(getComputedStyle(field).borderTopWidth), 1, "border", field);
    }
    for (const button of buttons) {
        button.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
        const {left, top, width, height} = button.getBoundingClientRect();
        const hit = document.elementFromPoint(left + width / 2, top + height / 2);
        if (!button.contains(hit)) {
            faults.push(`${named(hit)} covers ${named(button)}`);
        }
    }
    return [buttons.length, light(layers(document.body)) < 0.2, faults];
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder: Path = tmp_path_factory.mktemp("site") / "project"
    site = admin_site(folder)
    site.append("mysite/grappelli_urls.py", GRAPPELLI_URLS)
    return site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module", params=THEMES)
def theme(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    pytest.importorskip(name, reason=f"NOT TESTED: this needs {name}.")
    return name


@pytest.fixture(scope="module")
def server(site: Site, theme: str) -> Iterator[Server]:
    with gunicorn(site.variant(theme, THEMES[theme].settings)) as server:
        yield server


def pages(page: Page, origin: str) -> Iterator[tuple[str, int]]:
    """Name each page and how many buttons of ours it has at least, while it is on show."""

    def visit(path: str) -> None:
        answer = page.goto(urljoin(origin, path))
        assert answer is not None
        assert answer.status == 200, path

    visit(f"{LINKS}?_facets=True")
    row = page.locator("#result_list tbody tr", has_text="logo")
    link, file = (
        # unfold's addresses are relative to the page.
        urljoin(
            page.url, row.locator(f'a[href*="{section}"][href*="/change/"]').get_attribute("href")
        )
        for section in (LINKS, FILES)
    )
    yield "links", 4
    # By the list of actions, which unfold shows when rows are selected.
    page.locator("input[name=_selected_action]").first.check()
    page.locator("select[name=action]").select_option("pause_links", force=True)
    with page.expect_navigation():
        page.locator("button[name=index]").first.click()
    yield "confirmation of pausing", 2
    visit(f"{LINKS}dashboard/")
    page.locator(".dl-numbers summary").click()
    yield "dashboard", 0
    visit(link)
    yield "link", 8
    for action in ("Give a new address", "Revoke for good"):
        with page.expect_navigation():
            page.locator(".dl-verbs").get_by_role("button", name=action).click()
        yield action, 2
        with page.expect_navigation():
            page.get_by_role("link", name="Cancel").click()
    visit(link.replace("/change/", "/delete/"))
    yield "deletion of a link", 0
    visit(link.replace("/change/", "/history/"))
    yield "history", 0
    visit(FILES)
    yield "files", 0
    visit(f"{FILES}add/")
    yield "a new file", 0
    visit(file)
    yield "file", 4
    visit(file.replace("/change/", "/delete/"))
    yield "deletion of a file", 0


@pytest.mark.parametrize("look", ["light", "dark"])
def test_our_elements_are_readable_and_in_reach(
    browser: Browser, server: Server, theme: str, look: str
) -> None:
    found = []
    with browser.new_context(color_scheme=look, viewport=DESK) as context:  # type: ignore[arg-type]
        page = context.new_page()
        # The others follow the system; jazzmin is light unless its menu or the site says otherwise.
        context.add_init_script(f"localStorage.setItem('jazzmin-theme-mode', '{look}')")
        page.on("pageerror", lambda error: found.append(f"{page.url}: {error}"))
        enter_admin(page, server.origin, STAFF)
        for name, expected in pages(page, server.origin):
            number, dark, faults = page.evaluate(FAULTS, [THEMES[theme].links, theme != "django"])
            found += [f"{name}: {fault}" for fault in faults]
            assert number >= expected, f"{name}: {number} buttons"
            assert dark == (look == "dark"), name
    assert found == []
