"""The interface as a web application: its operations, its description, and a page for people."""

from fastapi import APIRouter, Depends, FastAPI
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from twin import __version__
from twin.api import clock, configuration, logs, meters, operations, records
from twin.api.guard import GUARDED, Guard
from twin.api.page import page
from twin.api.problems import ALWAYS, handle_problems
from twin.api.site import ControlledSite

DESCRIPTION = """
Control of a live site. Every operation needs the token in `Authorization: Bearer TOKEN`. What changes the
site goes, as a command, into the one queue that Modbus masters and pages use too, and is answered after what
it changed has been published: within a second, or by 503. Times are UTC to the nanosecond; values are
primary; a number that does not exist is null.
"""


LARGEST_BODY = 64 * 1024
"""Of a request [byte]."""


def create_app(site: ControlledSite, token: str) -> Guard:
    """Return the interface of a site as an ASGI application that asks for a token.

    Parameters
    ----------
    site : ControlledSite
    token : str
        From ``token_of``.
    """
    app = FastAPI(
        title="Site twin control",
        version=__version__,
        summary="Status, clock, events, switches, meters and records of a live site",
        description=DESCRIPTION.strip(),
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,
        max_body_size=LARGEST_BODY,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        generate_unique_id_function=_name_of,
        separate_input_output_schemas=False,
    )
    handle_problems(app)
    # The guard has seen the token already; this is for the description.
    scheme = HTTPBearer(
        scheme_name="token", description="from the ready file, or as chosen", auto_error=False
    )
    router = APIRouter(prefix=GUARDED, dependencies=[Depends(scheme)], responses=ALWAYS)
    for module in (clock, operations, meters, logs, configuration, records):
        router.include_router(module.routes(site))
    app.include_router(router)

    @app.get("/", include_in_schema=False)
    def index() -> HTMLResponse:
        return HTMLResponse(
            page(app.openapi()),
            headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"},
        )

    return Guard(app, token=token)


def _name_of(route: APIRoute) -> str:
    return route.name
