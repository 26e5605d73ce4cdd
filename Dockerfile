# CPU only. Build: docker build -t citable .   Run: docker run -p 127.0.0.1:7860:7860 -v citable:/data citable
FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends build-essential cmake git && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .
RUN make setup
ENV PATH=/app/.venv/bin:$PATH CITABLE_HOME=/data
VOLUME /data
EXPOSE 7860
# Inside the container every address is needed; publish the port on 127.0.0.1 only, as above.
ENTRYPOINT ["citable"]
CMD ["chat", "--sample", "--host", "0.0.0.0"]
