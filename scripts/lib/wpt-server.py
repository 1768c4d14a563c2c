"""Serves a checkout of web-platform-tests with its own wptserve, on a free port of 127.0.0.1 that is printed.

    python3 wpt-server.py /path/to/wpt
"""
import logging
import sys

root = sys.argv[1]
sys.path.insert(0, f"{root}/tools")
try:
    import localpaths  # noqa: F401  (of the checkout: puts its wptserve on the path)
except ImportError:
    pass  # a part of a checkout: wptserve was installed by pip

from wptserve.config import ConfigBuilder
from wptserve.server import WebTestHttpd


class Names(ConfigBuilder):
    """The names that the tests know, though the server is behind another one that answers to them."""

    def _get_ports(self, data):
        return data["ports"]


names = Names(
    logging.getLogger(),
    subdomains={"www", "www1", "www2", "天気の良い日", "élève"},
    not_subdomains={"nonexistent"},
    browser_host="web-platform.test",
    alternate_hosts={"alt": "not-web-platform.test"},
    doc_root=root,
    ports={"http": [80, 8080], "https": [443]},
)
with names as config:
    server = WebTestHttpd(host="127.0.0.1", port=0, doc_root=root, config=config)
    server.start()
    print(server.port, flush=True)
    sys.stdin.read()  # until the one who started it is gone
