"""The web servers of the recipes, with exactly the files that the documentation shows."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.real.programs import needed, needed_module
from tests.real.servers import Server, free_port, running
from tests.real.sites import CHECKOUT, Site

# What a distribution's own main file has, and no more.
NGINX = """
daemon off;
pid {folder}/pid;
worker_processes auto;
events {{}}
http {{
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    sendfile on;
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""

APACHE = """
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/pid
ServerName 127.0.0.1
ErrorLog /dev/stderr
User www-data
Group www-data
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule headers_module {modules}/mod_headers.so
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_http_module {modules}/mod_proxy_http.so
LoadModule xsendfile_module {modules}/mod_xsendfile.so
<Directory />
    Require all denied
</Directory>
Listen 127.0.0.1:{port}
Include {folder}/site.conf
"""


@contextmanager
def nginx(site: Site, application: Server) -> Iterator[Server]:
    """docs/recipes/nginx.conf in front of ``application``, which serves ``site``."""
    program = needed("nginx")
    port = free_port()
    folder = _configured("nginx.conf", "listen 80;", f"listen 127.0.0.1:{port};", site, application)
    main = folder / "main.conf"
    main.write_text(NGINX.format(folder=folder))
    command = [program, "-e", "stderr", "-p", str(folder), "-c", str(main)]
    with running(command, port, folder / "nginx.log") as server:
        yield server


@contextmanager
def apache(site: Site, application: Server) -> Iterator[Server]:
    """docs/recipes/apache.conf in front of ``application``, which serves ``site``."""
    program = needed("apache2")
    port = free_port()
    folder = _configured("apache.conf", "*:80", f"127.0.0.1:{port}", site, application)
    main = folder / "main.conf"
    modules = "/usr/lib/apache2/modules"
    main.write_text(APACHE.format(folder=folder, modules=modules, port=port))
    command = [program, "-D", "FOREGROUND", "-f", str(main)]
    with running(command, port, folder / "apache.log") as server:
        yield server


MOD_WSGI = """
LoadModule wsgi_module {module}
<Directory {site}>
    Require all granted
</Directory>
WSGISocketPrefix {folder}/wsgi
WSGIDaemonProcess site threads=4 python-home={home} python-path={site}:{packages} lang=C.UTF-8
WSGIProcessGroup site
WSGIApplicationGroup %{{GLOBAL}}
WSGIScriptAlias / {script}
"""


@contextmanager
def mod_wsgi(site: Site, *, application: str = "mysite.wsgi:application") -> Iterator[Server]:
    """``site`` in processes of Apache, by the mod_wsgi that pip has built."""
    program, port = needed("apache2"), free_port()
    (module,) = needed_module("mod_wsgi").glob("server/*.so")
    folder = site.folder.parent / f"mod_wsgi-{port}"
    folder.mkdir()
    script = site.folder / "wsgi_script.py"
    environment = {"DJANGO_SETTINGS_MODULE": site.settings_module}
    module_name, _, attribute = application.partition(":")
    script.write_text(
        f"import os\nos.environ.update({environment!r})\n"
        f"from {module_name} import {attribute} as application\n"
    )
    configured = MOD_WSGI.format(
        module=module,
        site=site.folder,
        packages=site.packages,
        folder=folder,
        home=sys.prefix,
        script=script,
    )
    (folder / "site.conf").write_text(configured)
    main = folder / "main.conf"
    modules = "/usr/lib/apache2/modules"
    main.write_text(APACHE.format(folder=folder, modules=modules, port=port))
    command = [program, "-D", "FOREGROUND", "-f", str(main)]
    if os.geteuid() == 0:  # pragma: no branch
        # mod_wsgi does not run as root. Another user may not read the interpreter and the site.
        user = ["--reuid=www-data", "--regid=www-data", "--clear-groups"]
        rights = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        command = [needed("setpriv"), *user, *rights, *command]
    with running(command, port, folder / "apache.log") as server:
        yield server


def _configured(recipe: str, port: str, own_port: str, site: Site, application: Server) -> Path:
    """A new folder with ``recipe`` as ``site.conf``, its placeholders replaced by real values."""
    replacements: Mapping[str, str] = {
        port: own_port,
        "127.0.0.1:8000": urlsplit(application.origin).netloc,
        "/srv/site/media": str(site.folder / "media"),
    }
    text = (CHECKOUT / "docs" / "recipes" / recipe).read_text()
    for placeholder, value in replacements.items():
        assert placeholder in text, f"{recipe} has no {placeholder!r}"
        text = text.replace(placeholder, value)
    # One for each application: some are in front of several.
    name = f"{recipe.removesuffix('.conf')}-{urlsplit(application.origin).port}"
    folder = site.folder.parent / name
    folder.mkdir()
    (folder / "site.conf").write_text(text)
    return folder
