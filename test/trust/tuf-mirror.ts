// A mirror on loopback, with the ways in which mirrors fail.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toTrustFetch } from '../../src/cli/trust-access.ts';
import { createTransport } from '../../src/registry/transport.ts';
import type { TrustFetch } from '../../src/trust/tuf-fetcher.ts';

export type MirrorFault =
  'none' | 'unavailable' | 'html' | 'truncated' | 'cut' | 'slow' | 'redirect' | 'huge';

export interface TestMirror {
  readonly url: string;
  readonly fetch: TrustFetch;
  /** Paths asked for, in order. */
  readonly requests: string[];
  fault: MirrorFault;
  /** Added to the clock of the mirror, in milliseconds. */
  clockOffsetMs: number;
  files: ReadonlyMap<string, Buffer>;
  /** Stops answering at all. */
  down(): Promise<void>;
  close(): Promise<void>;
}

export async function startMirror(files: ReadonlyMap<string, Buffer>): Promise<TestMirror> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').slice(1);
    mirror.requests.push(path);
    response.setHeader('date', new Date(Date.now() + mirror.clockOffsetMs).toUTCString());
    answer(response, mirror.fault, mirror.files.get(path));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const transport = createTransport({ plainHttpHosts: new Set([host]), configuredHosts: new Set() }, []);
  let isDown = false;
  const mirror: TestMirror = {
    url: `http://${host}`,
    fetch: toTrustFetch(transport),
    requests: [],
    fault: 'none',
    clockOffsetMs: 0,
    files,
    async down() {
      if (isDown) return;
      isDown = true;
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
    async close() {
      await mirror.down();
      await transport.close();
    },
  };
  return mirror;
}

function answer(response: ServerResponse, fault: MirrorFault, bytes: Buffer | undefined): void {
  if (fault === 'unavailable') response.writeHead(503).end('try later');
  else if (fault === 'html') response.writeHead(200).end('<html><body>please log in</body></html>');
  else if (fault === 'redirect') response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
  else if (fault === 'huge') response.writeHead(200).end(Buffer.alloc(6_000_000, 0x20));
  else if (bytes === undefined) response.writeHead(404).end();
  else if (fault === 'truncated') response.writeHead(200).end(bytes.subarray(0, bytes.length / 2));
  else if (fault === 'cut') {
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, 10), () => response.destroy());
  } else if (fault === 'slow') {
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, 1));
  } else response.writeHead(200).end(bytes);
}
