# The image of the server: docker build -t liveloom .
# Alone, with its data in a volume: docker run -p 8099:8099 -v liveloom:/var/lib/liveloom liveloom

# The demo room and the operator console, which the binary embeds.
FROM node:22-bookworm-slim AS pages
WORKDIR /build
COPY web/ ./
RUN npm ci --ignore-scripts --no-audit --no-fund && npm run build

FROM rust:1.95-bookworm AS binary
WORKDIR /build
COPY . .
COPY --from=pages /build/pages/dist web/pages/dist
RUN cargo build --release --locked --package liveloom --bin liveloom

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="liveloom" \
      org.opencontainers.image.description="Backend for live streaming with interaction, wire-compatible with QNLiveKit_Server" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin liveloom \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/liveloom
COPY --from=binary /build/target/release/liveloom /usr/local/bin/liveloom
COPY deploy/docker/healthcheck /usr/local/bin/healthcheck
# Only the embedded database and generated keys are written, here: the rest may be read-only.
ENV LIVELOOM__NODE__DATA_DIR=/var/lib/liveloom
VOLUME /var/lib/liveloom
# By number, so that Kubernetes can tell that it is not root.
USER 10001
# The API, and /metrics where prome.exporter_config.listen_addr is :9200.
EXPOSE 8099 9200
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["healthcheck"]
ENTRYPOINT ["liveloom"]
# Alone it would listen inside of the container only.
CMD ["serve", "--addr", ":8099"]
