# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0

FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpq-dev libsqlite3-dev pkg-config zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN swift build -c release --static-swift-stdlib --product tollgate \
    && install -D "$(swift build -c release --static-swift-stdlib --show-bin-path)/tollgate" /out/tollgate \
    && strip /out/tollgate

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libpq5 libsqlite3-0 libstdc++6 tzdata zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -m 0700 -o 65532 -g 65532 /var/lib/tollgate \
    && install -d /etc/tollgate/manifests
COPY --from=build /out/tollgate /usr/local/bin/tollgate
USER 65532:65532
ENV TOLLGATE_DATA_DIR=/var/lib/tollgate
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
# Probes ask /livez and /readyz on port 8081.
HEALTHCHECK NONE
ENTRYPOINT ["/usr/local/bin/tollgate"]
CMD ["run", "--manifests", "/etc/tollgate/manifests"]
