"""How gunicorn serves the application: threads, one loaded copy shared by its workers, no control socket."""

import os

worker_class = "gthread"
threads = 4
# One socket path per user would be shared by two installations.
control_socket_disable = True
# The workers share the memory of what was imported before they were made.
preload_app = True
timeout = 60
graceful_timeout = 10
keepalive = 5
loglevel = os.environ.get("LOG_LEVEL", "warning").lower()
# The heartbeat file does not wait for a busy disk.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def post_fork(server: object, worker: object) -> None:
    """Connections opened while loading belong to the parent; each worker opens its own."""
    from crm.extensions import db
    from wsgi import app

    with app.app_context():
        for engine in db.engines.values():
            engine.dispose(close=False)
