"""Downloads URLs one after the other into a small receive buffer, and prints each status and the SHA-256 of its body.

Usage: slow-reader.py RECEIVE_BUFFER PAUSE_SECONDS CA_FILE URL...
"""

import hashlib
import http.client
import socket
import ssl
import sys
import time
from urllib.parse import urlsplit


def read(url, receive_buffer, pause, context):
    parts = urlsplit(url)
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    plain.settimeout(20)
    plain.connect((parts.hostname, parts.port))
    connection = http.client.HTTPConnection(parts.hostname, parts.port)
    connection.sock = plain
    if parts.scheme == "https":
        connection.sock = context.wrap_socket(plain, server_hostname="app.example")
    connection.request("GET", parts.path)
    digest = hashlib.sha256()
    try:
        response = connection.getresponse()
        while True:
            piece = response.read(65536)
            if not piece:
                break
            digest.update(piece)
            time.sleep(pause)
    except Exception as error:
        return "broken: %r" % error
    finally:
        connection.close()
    return "%d %s" % (response.status, digest.hexdigest())


_, receive_buffer, pause, authority, *urls = sys.argv
secure = ssl.create_default_context(cafile=authority)
for url in urls:
    print(read(url, int(receive_buffer), float(pause), secure), flush=True)
