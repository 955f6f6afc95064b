# One image for every process: the facade by default, `python worker.py` for a worker, and
# `python -m schema.migrate` once before either; `python -m finance` checks the books. Everything it
# is told comes from the environment.
FROM python:3.11.13-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /ridendine

COPY requirements.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps \
    -r requirements.lock

COPY along.py logs.py settings.py worker.py ./
COPY domain domain
COPY schema schema
COPY providers providers
COPY activities activities
COPY workflows workflows
COPY api api
COPY finance finance

RUN python -m compileall -q . && useradd --system --uid 10001 ridendine \
    && install --directory --owner ridendine /storage
USER 10001

EXPOSE 9001
# Whose X-Forwarded-For is believed: nobody's, until the load balancer's address is given.
ENV FORWARDED_ALLOW_IPS=""
# Idle connections are kept longer than any load balancer keeps them, or it sends into closed ones.
# Thousands of clients may listen: they send little, and nothing is compressed for each of them. Who
# still polls when the process is to end is not waited for any longer than 20 s.
CMD ["uvicorn", "--factory", "api.app:create_app", "--host", "0.0.0.0", "--port", "9001", \
     "--no-access-log", "--timeout-keep-alive", "75", "--ws", "websockets-sansio", \
     "--ws-per-message-deflate", "false", "--ws-max-size", "65536", \
     "--timeout-graceful-shutdown", "20"]
