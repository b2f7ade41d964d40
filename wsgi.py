"""The application, for gunicorn and the flask command."""

from crm.app import create_app

app = create_app()
