from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response
from pydantic import TypeAdapter

from app import answers, citations, messages
from app.deps import Allow, FigureChecksDep, Session, SettingsDep, database_of
from app.domain.errors import Conflict, NotFound
from app.domain.figures import FigureStatus
from app.domain.permissions import Actor, Permission
from app.problems import problems
from app.routing import PUBLIC, SIGNED_IN, Router
from app.schemas.base import PageQuery
from app.schemas.figures import (
    Citation,
    CiteQuery,
    FigureCheck,
    FigureDraft,
    FigurePage,
    FigurePublic,
    FigurePublicPage,
    FigureQuery,
    FigureRead,
    SignOff,
    Withdrawal,
)
from app.services import cities, figure_checks, figures, reads
from app.services.figures import Cited

router = Router("/v1/figures", "figures", SIGNED_IN)
public_router = Router("/v1/public/{city_id}/figures", "figures", PUBLIC | problems(NotFound))
Reader = Annotated[Actor, Depends(Allow(Permission.LEDGER_READ))]
Publisher = Annotated[Actor, Depends(Allow(Permission.FIGURE_PUBLISH))]
CityId = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{1,31}$", examples=["almaty"])]
STEP = problems(NotFound, Conflict)
_CITED = TypeAdapter(Cited)
_TEXT = {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "One sentence"}
_SVG = {"content": {"image/svg+xml": {"schema": {"type": "string"}}}, "description": "An image"}
_PUBLIC = "public, max-age=10"


@router.get("", response_model=FigurePage)
async def list_figures(query: Annotated[FigureQuery, Query()], actor: Reader, request: Request) -> Response:
    """The newest first; drafts too."""
    return answers.page(await reads.page(database_of(request), actor, figures.cards, **query.model_dump()), request)


@router.post("", response_model=FigureRead, status_code=201, responses=problems(Conflict))
async def draft_figure(drafted: FigureDraft, actor: Publisher, session: Session) -> Response:
    """Say which number is to be published, as of now or of a moment before. Somebody else signs it off."""
    figure_id = await figures.draft(session, actor, drafted)
    return answers.item(await reads.written(session, actor, figures.card, "figure", id=figure_id), status=201)


@router.get("/{figure_id}", response_model=FigureRead, responses=answers.ITEM)
async def get_figure(figure_id: UUID, actor: Reader, request: Request) -> Response:
    return answers.item(await reads.one(database_of(request), actor, figures.card, "figure", id=figure_id), request)


@router.get("/{figure_id}/check", response_model=FigureCheck, responses=problems(NotFound))
async def check_figure(figure_id: UUID, actor: Reader, request: Request) -> FigureCheck:
    """The number from the ledger of now: what a draft will say, or whether what was signed still holds."""
    database = database_of(request)
    await reads.one(database, actor, figures.card, "figure", id=figure_id)
    return await figure_checks.checked(database, actor.city_id, figure_id, is_public=False)


@router.post("/{figure_id}/sign", response_model=FigureRead, responses=STEP)
async def sign_figure(figure_id: UUID, signed: SignOff, actor: Publisher, session: Session) -> Response:
    """Sign the number that you have seen. It is public from now on, and nobody can change it."""
    await figures.sign(session, actor, figure_id, signed, messages.CATALOGUE["metrics"])
    return answers.item(await reads.written(session, actor, figures.card, "figure", id=figure_id))


@router.post("/{figure_id}/withdraw", response_model=FigureRead, responses=STEP)
async def withdraw_figure(figure_id: UUID, withdrawal: Withdrawal, actor: Publisher, session: Session) -> Response:
    """Its page stays, and says so."""
    await figures.withdraw(session, actor, figure_id, withdrawal.reason)
    return answers.item(await reads.written(session, actor, figures.card, "figure", id=figure_id))


@public_router.get("", response_model=FigurePublicPage)
async def list_public_figures(city_id: CityId, query: Annotated[PageQuery, Query()], request: Request) -> Response:
    """Those that stand, the newest first."""
    database = database_of(request)
    await reads.one(database, None, cities.public_city, "city", city_id=city_id)
    status = FigureStatus.SIGNED.value
    page = await reads.page(database, None, figures.cards, **query.model_dump(), city_id=city_id, status=status)
    return answers.page(page, request)


@public_router.get("/{figure_id}", response_model=FigurePublic, responses=answers.ITEM)
async def get_public_figure(city_id: CityId, figure_id: UUID, request: Request) -> Response:
    """Also one that was withdrawn: what quotes it should lead somewhere that says so."""
    found = await reads.one(database_of(request), None, figures.card, "figure", city_id=city_id, id=figure_id)
    return answers.item(found, request)


@public_router.get("/{figure_id}/check", response_model=FigureCheck)
async def check_public_figure(
    city_id: CityId, figure_id: UUID, request: Request, checks: FigureChecksDep, response: Response
) -> FigureCheck:
    """Counted again: `holds`, `differs` because of what was recorded since, or `tampered`. `checked_at` says when."""
    # What is not there takes no turn, and no other answer's place.
    await reads.one(database_of(request), None, figures.card, "figure", city_id=city_id, id=figure_id)
    response.headers["Cache-Control"] = _PUBLIC
    return await checks.get(city_id, figure_id)


@public_router.get("/{figure_id}/cite", response_class=Response, responses={200: _TEXT})
async def cite_figure(
    city_id: CityId,
    figure_id: UUID,
    query: Annotated[CiteQuery, Query()],
    settings: SettingsDep,
    request: Request,
) -> Response:
    """One sentence to quote."""
    language = _language(query, request)
    cited = await _cited(request, city_id, figure_id)
    text = citations.sentence(cited, _address(settings, city_id, figure_id), language)
    return Response(text + "\n", 200, _headers(language), "text/plain; charset=utf-8")


@public_router.get("/{figure_id}/cite.json", response_model=Citation)
async def cite_figure_as_json(
    city_id: CityId, figure_id: UUID, request: Request, settings: SettingsDep, response: Response
) -> Citation:
    """The sentence in all three languages, with what it says."""
    response.headers["Cache-Control"] = _PUBLIC
    cited = await _cited(request, city_id, figure_id)
    return citations.citation(cited, _address(settings, city_id, figure_id))


@public_router.get("/{figure_id}/badge.svg", response_class=Response, responses={200: _SVG})
async def get_badge(
    city_id: CityId, figure_id: UUID, query: Annotated[CiteQuery, Query()], request: Request
) -> Response:
    """A small image for a web page."""
    language = _language(query, request)
    cited = await _cited(request, city_id, figure_id)
    # The one answer that other sites show.
    headers = {**_headers(language), "Cross-Origin-Resource-Policy": "cross-origin"}
    return Response(citations.badge(cited.figure, language), 200, headers, "image/svg+xml")


async def _cited(request: Request, city_id: str, figure_id: UUID) -> Cited:
    found = await reads.document(database_of(request), None, figures.cited, "figure", city_id=city_id, id=figure_id)
    return _CITED.validate_json(found)


def _address(settings: SettingsDep, city_id: str, figure_id: UUID) -> str:
    return f"{settings.public_url}v1/public/{city_id}/figures/{figure_id}"


def _language(query: CiteQuery, request: Request) -> str:
    return query.lang or messages.preferred_language(request.headers.get("accept-language", ""))


def _headers(language: str) -> dict[str, str]:
    return {"Cache-Control": _PUBLIC, "Content-Language": language, "Vary": "Accept-Language"}
