# The image of actor-server: built in one stage, shipped in another that has no shell, no package manager and no root.
#
#   docker build -t actor-server .
#   docker run --rm --read-only --cap-drop ALL -v actor-server-data:/data -p 3000:3000 -p 8080:8080 actor-server
#
# The arguments let a build use a mirror of the base images, or another profile.
ARG RUST_IMAGE=docker.io/library/rust:1.95-slim-bookworm
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${RUST_IMAGE} AS build
ARG PROFILE=dist
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /src

# The dependencies, as a layer of their own: built again only when Cargo.lock or Cargo.toml changes.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src benches \
    && sed -n '/^\[\[bench\]\]/{n;s/^name = "\(.*\)"$/\1/p}' Cargo.toml \
        | while read -r bench; do echo 'fn main() {}' >"benches/$bench.rs"; done \
    && echo 'fn main() {}' >src/main.rs \
    && : >src/lib.rs \
    && cargo build --locked --profile "$PROFILE" \
    && rm -rf src benches

COPY src src
COPY migrations migrations
COPY benches benches
# What `build_info` says is running.
ARG REVISION=unknown
# The sources are older than the empty ones that the layer above was built from.
RUN touch src/main.rs src/lib.rs \
    && ACTOR_SERVER_REVISION="$REVISION" cargo build --locked --profile "$PROFILE" --bin actor-server \
    && install -D "target/$PROFILE/actor-server" /out/actor-server \
    && install -d /out/data

FROM ${RUNTIME_IMAGE}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="actor-server" \
      org.opencontainers.image.description="Runs scheduled bots under supervision" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"

COPY --from=build /out/actor-server /usr/local/bin/actor-server
COPY config /etc/actor-server
# The only place that is written to. An empty volume takes over the folder's owner.
COPY --from=build --chown=65532:65532 /out/data /data
VOLUME ["/data"]
WORKDIR /data

ENV ACTOR_SERVER_CONFIG=/etc/actor-server/actor_server.toml \
    DATABASE_URL=sqlite:///data/actor_server.db \
    ACTOR_SERVER_API_ADDR=0.0.0.0:3000 \
    ACTOR_SERVER_HEALTH_ADDR=0.0.0.0:8080 \
    ACTOR_SERVER_METRICS_ADDR=0.0.0.0:9090 \
    LOG_FORMAT=json

EXPOSE 3000 8080 9090
# By number, so that a cluster can see that it is not root.
USER 65532:65532
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["/usr/local/bin/actor-server", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/actor-server"]
CMD ["run"]
