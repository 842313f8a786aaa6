"""direct: a synchronous Flask and SQLAlchemy endpoint under gunicorn; a loop, and a commit per order."""

from __future__ import annotations

from typing import Any

from flask import Flask, request
from marshmallow import ValidationError
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from bench.peers.checks import checked
from bench.peers.models import OutOfStockError, create_order


def create_app(database_url: str) -> Flask:
    """The application: POST /orders with a keyed batch."""
    app = Flask("direct")
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"), pool_size=40)

    @app.post("/orders")
    def orders() -> dict[str, Any]:
        outcomes: dict[str, Any] = {}
        for key, sent in request.get_json().items():
            with Session(engine) as session:
                try:
                    number = create_order(session, checked(sent))
                    session.commit()
                    outcomes[key] = {"status": "ok", "orders": [number]}
                except (ValidationError, OutOfStockError) as error:
                    session.rollback()
                    outcomes[key] = {"status": "no", "msg": str(error)}
        return outcomes

    return app
