// Where does Prometheus scrape a controller that runs inside of a test? A server of one text; what is in it is the caller's.
import { createServer } from 'node:http';

/** `address`: `127.0.0.1:PORT`; every path answers the text. */
export async function serveText(
  read: () => Promise<string>,
): Promise<{ readonly address: string; readonly close: () => Promise<void> }> {
  const server = createServer((_request, response) => {
    read().then(
      (text) => response.setHeader('content-type', 'text/plain; version=0.0.4').end(text),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    address: `127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
