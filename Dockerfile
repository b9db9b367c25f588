# syntax=docker/dockerfile:1
# The image of the controller: compiled JavaScript and production dependencies on a base without a shell.
# Pin both base images by digest where images are built for release.

FROM node:26-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
# The demo signs with throw-away keys and serves a registry: not in an image that guards a cluster.
RUN npm run build && rm -rf dist/demo

FROM node:26-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force

# Where this base is not to be had, node:26-bookworm-slim with the same lines works too;
# its node is /usr/local/bin/node.
FROM gcr.io/distroless/nodejs26-debian13:nonroot
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE* ./
# Certificates are judged in UTC, and messages name no other zone.
ENV NODE_ENV=production TZ=UTC
USER 65532:65532
EXPOSE 8443 9090
ENTRYPOINT ["/nodejs/bin/node", "/app/dist/main.js"]
CMD ["serve"]
