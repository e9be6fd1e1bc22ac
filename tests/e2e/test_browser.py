# SPDX-License-Identifier: ISC
"""Chromium fills in what `leadctl form snippet` prints: one lead, or none for a program."""
import contextlib
import http.server
import os
import shutil
import tempfile
import threading

import pytest

import company
import forms
from daemon import Daemon, until

webdriver = pytest.importorskip("selenium.webdriver")
from selenium.common.exceptions import (  # noqa: E402
    NoSuchElementException, StaleElementReferenceException)
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

if not shutil.which("chromedriver") or not shutil.which("chromium"):
    pytest.skip("no chromium here", allow_module_level=True)

PATIENCE = 180  # seconds, for a machine that does other things as well
FIELDS = """fields : { email = { to = "contact.email"; label = "Your email"; required = true; };
      name = "contact.name"; words = { to = "message.text"; label = "Message"; };
      size = { type = "choice"; choices = [ "small", "large" ]; };
      cv = { type = "file"; accept = [ ".txt", ".pdf" ]; };
      news = { type = "consent"; text = "Send me <news>."; }; };
    honeypot = "website"; same_within = "1d";"""
FORMS = """
  stay : { %(f)s origins = "%(o)s"; origins_only = true; };
  leave : { %(f)s };
  patient : { %(f)s origins = "%(o)s"; min_fill = "1h"; };
"""


class Site:
    """The company's own pages, on another origin than the forms."""

    def __init__(self):
        self.pages = {}
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = site.pages.get(self.path, "").encode()
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def world():
    site = Site()
    conf = forms.conf(FORMS % {"f": FIELDS, "o": site.origin})
    with contextlib.closing(site), Daemon(conf, company.files(company.RULES)) as d:
        for name in ("stay", "leave", "patient"):
            r = d.leadctl("form", "snippet", name, "--url", "http://127.0.0.1:%d/" % d.port(),
                          "-c", os.path.join(d.dir, "leadd.conf"))
            assert r.returncode == 0, r.stderr
            site.pages["/" + name] = "<!doctype html><title>Us</title>" + r.stdout.decode()
        yield site, d


@contextlib.contextmanager
def chromium(scripts=True):
    with tempfile.TemporaryDirectory(prefix="leadd-chromium-") as home:
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--disable-background-networking", "--disable-component-update",
                     "--disable-sync", "--no-first-run", "--user-data-dir=" + home):
            options.add_argument(flag)
        if not scripts:
            options.add_experimental_option("prefs", {
                "profile.managed_default_content_settings.javascript": 2})
        service = webdriver.chrome.service.Service(shutil.which("chromedriver"))
        driver = webdriver.Chrome(service=service, options=options)
        driver.set_page_load_timeout(PATIENCE)
        driver.set_script_timeout(PATIENCE)
        try:
            yield driver
        finally:
            driver.quit()


@pytest.fixture(scope="module")
def page(world):
    with chromium() as driver:
        yield driver


def wait(driver, what):
    """Until it is so; a page may be on its way out meanwhile."""
    gone = (StaleElementReferenceException, NoSuchElementException)
    return WebDriverWait(driver, PATIENCE, ignored_exceptions=gone).until(lambda _: what())


def filled(driver, world, form, email, **more):
    """The page of the form, opened anew, with what a person types; its button."""
    driver.get(world[0].origin + "/" + form)
    for name, value in dict({"email": email, "words": "Hello from " + email}, **more).items():
        driver.find_element(By.NAME, name).send_keys(value)
    return driver.find_element(By.TAG_NAME, "button")


def thanked(driver):
    return wait(driver, lambda: "has arrived" in driver.find_element(By.TAG_NAME, "body").text)


def arrived(world, form):
    rows = world[1].ctl("ledger", "source=form:" + form, "limit=1000")["rows"]
    return [r for r in rows if not (r["reason"] or "").startswith("the same words")]


def quarantined(world, reason):
    rows = world[1].ctl("quarantine", "list")["rows"]
    return [r for r in rows if "taken for spam" in r["reason"] and reason in r["reason"]]


def leads_of(world, email):
    rows = world[1].ctl("list", "contacts", "limit=1000")["rows"]
    return [r for r in rows if email in str(r)]


def test_a_form_with_a_file_is_sent_within_the_page(world, page, tmp_path):
    cv = tmp_path / "cv.txt"
    cv.write_text("what I did\n")
    button = filled(page, world, "stay", "ada@a.example", cv=str(cv), size="large")
    page.find_element(By.NAME, "news").click()
    button.click()
    thanked(page)
    assert page.current_url == world[0].origin + "/stay"  # the page stayed
    assert page.find_element(By.CSS_SELECTOR, "[role=status]").text == "Your message has arrived."
    message = world[1].ctl("show", arrived(world, "stay")[0]["message"])["message"]
    assert message["fields"]["size"] == "large" and message["fields"]["news"] == "yes"
    assert [f["filename"] for f in message["attachments"]] == ["cv.txt"]
    assert len(leads_of(world, "ada@a.example")) == 1 and not message.get("extra", {})


def test_a_double_click_is_one_lead(world, page):
    for form in ("stay", "leave"):
        before = len(arrived(world, form))
        button = filled(page, world, form, "bob-%s@a.example" % form)
        ActionChains(page).double_click(button).perform()
        thanked(page)
        assert len(arrived(world, form)) == before + 1, form


def test_a_double_click_over_a_slow_network_is_one_lead(world, page):
    page.execute_cdp_cmd("Network.enable", {})
    slow = {"offline": False, "latency": 400, "downloadThroughput": 20000, "uploadThroughput": 20000}
    try:
        for form in ("stay", "leave"):
            before = len(arrived(world, form))
            button = filled(page, world, form, "cy-%s@a.example" % form)
            page.execute_cdp_cmd("Network.emulateNetworkConditions", slow)
            ActionChains(page).double_click(button).perform()
            thanked(page)
            assert len(arrived(world, form)) == before + 1, form
            page.execute_cdp_cmd("Network.emulateNetworkConditions", dict(
                slow, latency=0, downloadThroughput=-1, uploadThroughput=-1))
    finally:
        page.execute_cdp_cmd("Network.disable", {})


def test_a_form_sent_again_after_the_back_button_is_one_lead(world, page):
    before = len(arrived(world, "leave"))
    filled(page, world, "leave", "dee@a.example").click()
    thanked(page)
    page.back()
    wait(page, lambda: len(page.find_element(By.NAME, "_key").get_attribute("value")) == 32)
    for name, value in (("email", "dee@a.example"), ("words", "Hello from dee@a.example")):
        box = page.find_element(By.NAME, name)
        box.clear()
        box.send_keys(value)
    page.find_element(By.TAG_NAME, "button").click()
    thanked(page)
    assert len(arrived(world, "leave")) == before + 1
    assert len(leads_of(world, "dee@a.example")) == 1


def test_what_a_program_fills_in_makes_no_lead_and_is_told_the_same(world, page):
    button = filled(page, world, "stay", "bot@a.example")
    box = page.find_element(By.NAME, "website")
    assert not page.execute_script("var r = arguments[0].getBoundingClientRect();"
                                   "return r.right > 0 && r.left < innerWidth;", box)
    assert box.get_attribute("tabindex") == "-1" and box.get_attribute("autocomplete") == "off"
    page.execute_script("arguments[0].value = 'http://spam.example'", box)
    button.click()
    thanked(page)
    assert not leads_of(world, "bot@a.example")
    assert len(quarantined(world, 'the field "website"')) == 1


def test_what_is_sent_too_soon_waits_and_a_person_can_release_it(world, page):
    d = world[1]
    button = filled(page, world, "patient", "eve@a.example")
    wait(page, lambda: page.find_element(By.NAME, "_stamp").get_attribute("value"))
    button.click()
    thanked(page)
    assert not leads_of(world, "eve@a.example")
    row, = quarantined(world, "min_fill is 1h")
    d.ctl("quarantine", "retry", str(row["id"]))
    until(lambda: leads_of(world, "eve@a.example"), why="the lead")


def test_faults_are_said_at_the_form_and_mark_its_fields(world, page):
    button = filled(page, world, "stay", "no address")
    page.execute_script("document.forms[0].noValidate = true")
    button.click()
    alert = page.find_element(By.CSS_SELECTOR, "[role=alert]")
    wait(page, lambda: alert.text)
    assert alert.text == 'The field "Your email" is not an email address.'
    email = page.find_element(By.NAME, "email")
    assert email.get_attribute("aria-invalid") == "true"
    email.clear()
    email.send_keys("fay@a.example")
    button.click()
    thanked(page)
    assert len(leads_of(world, "fay@a.example")) == 1


def test_without_scripts_the_form_works_and_sent_twice_it_is_one_lead(world):
    with chromium(scripts=False) as driver:
        before = len(arrived(world, "leave"))
        for _ in range(2):
            filled(driver, world, "leave", "gus@a.example").click()
            thanked(driver)
            assert driver.title == "Thank you"
        assert len(arrived(world, "leave")) == before + 1
        assert len(leads_of(world, "gus@a.example")) == 1
