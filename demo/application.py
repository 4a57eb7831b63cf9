"""The web application: a page with the rows of a table. All it knows of its database is a name.

application.py DATABASE PORT PASSWORD
"""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

import pg8000.dbapi

HOST, PORT, PASSWORD = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def rows():
    """The rows, read anew for every page."""
    connection = pg8000.dbapi.connect("app", HOST, "shop", 5432, PASSWORD, timeout=3)
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT name, price FROM items ORDER BY id")
        return cursor.fetchall()
    finally:
        connection.close()


class Page(BaseHTTPRequestHandler):
    """Answers every path with the page."""

    def do_GET(self):
        """The rows, or why there are none."""
        try:
            status, text = 200, "\n".join(f"{name}: {price}" for name, price in rows())
        except Exception as error:
            status, text = 503, f"no database: {error}"
        body = (text + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


HTTPServer(("127.0.0.1", PORT), Page).serve_forever()
