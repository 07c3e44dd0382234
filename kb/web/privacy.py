"""What one has a right to: a copy of what is held about oneself, and to be forgotten."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from flask import Response, render_template
from flask.typing import ResponseReturnValue

from kb.services import privacy
from kb.web import context, private
from kb.web.accounts import acting, bp, required


@bp.get("/account/data")
@required()
def data() -> ResponseReturnValue:
    """What the copy of one's data holds, and the button that makes it."""
    return private.page(render_template("accounts/data.html"))


@bp.post("/account/data")
@required()
def download_data() -> ResponseReturnValue:
    """The copy of one's data, as a file."""
    with context.writing() as session:
        held = privacy.copy_for(session, acting(session), context.config().base_url)
    today = datetime.now(UTC)
    text = json.dumps({"made": f"{today:%Y-%m-%dT%H:%M:%SZ}", **held}, ensure_ascii=False, indent=2) + "\n"
    headers = {
        "Content-Disposition": f'attachment; filename="my-data-{today:%Y-%m-%d}.json"',
        "Cache-Control": "private, no-store",
    }
    return Response(text.encode("utf-8", "replace"), content_type="application/json", headers=headers)
