// What does an API server that remembers look like? The scripted one of fake-api.ts with one step that keeps objects:
// resource versions, conflicts, merge patches of objects and of their status, lists, and watches that tell.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { type FakeApi, startFakeApi, status } from './fake-api.ts';

/** An object as it is stored. */
export type Stored = Record<string, unknown> & {
  metadata: { name: string; namespace?: string; resourceVersion?: string; [key: string]: unknown };
};

/** One request that changed something, or was to. */
export interface Write {
  readonly method: string;
  readonly path: string;
  readonly body: Record<string, unknown>;
}

export interface FakeStore {
  readonly api: FakeApi;
  readonly writes: Write[];
  /** Answers the next requests of a kind in its own way: return true when it answered. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean;
  get(path: string): Stored | undefined;
  /** Stores at a path such as `/api/v1/namespaces/a/secrets/b` and tells watchers. */
  put(path: string, object: object): Stored;
  delete(path: string): void;
  /** Ends every watch. */
  cut(): void;
}

interface Watcher {
  readonly collection: string;
  readonly response: ServerResponse;
}

/** Starts one; every known collection is empty. */
export async function startFakeStore(port = 0): Promise<FakeStore> {
  const api = await startFakeApi(port);
  const objects = new Map<string, Stored>();
  let watchers: Watcher[] = [];
  let version = 100;

  const tell = (type: string, path: string, object: Stored): void => {
    for (const { collection, response } of watchers)
      if (isIn(path, collection)) response.write(`${JSON.stringify({ type, object })}\n`);
  };
  const save = (path: string, object: object): Stored => {
    version += 1;
    const before = objects.get(path);
    const { metadata } = object as Stored;
    const stored: Stored = {
      ...object,
      metadata: {
        uid: before?.metadata['uid'] ?? `uid-${version}`,
        ...metadata,
        name: metadata.name,
        resourceVersion: String(version),
      },
    };
    objects.set(path, stored);
    tell(before === undefined ? 'ADDED' : 'MODIFIED', path, stored);
    return stored;
  };
  const store: FakeStore = {
    api,
    writes: [],
    intercept: () => false,
    get: (path) => objects.get(path),
    put: save,
    delete(path) {
      const object = objects.get(path);
      objects.delete(path);
      version += 1;
      if (object !== undefined)
        tell('DELETED', path, {
          ...object,
          metadata: { ...object.metadata, resourceVersion: String(version) },
        });
    },
    cut() {
      for (const { response } of watchers) response.end();
      watchers = [];
    },
  };

  const answerGet = (url: URL, response: ServerResponse): void => {
    const object = objects.get(url.pathname);
    if (object !== undefined) {
      response.end(JSON.stringify(object));
      return;
    }
    if (!url.searchParams.has('limit')) {
      status(404, 'NotFound')(response, url, undefined as never);
      return;
    }
    const items = [...objects].filter(([path]) => isIn(path, url.pathname)).map(([, item]) => item);
    response.end(JSON.stringify({ kind: 'List', metadata: { resourceVersion: String(version) }, items }));
  };
  const answerWrite = (request: Write, response: ServerResponse): void => {
    store.writes.push(request);
    const refuse = (code: number, reason: string): void =>
      status(code, reason)(response, new URL('http://fake'), undefined as never);
    const { method, body } = request;
    const metadata = body['metadata'] as Stored['metadata'] | undefined;
    if (method === 'POST') {
      const path = `${request.path}/${metadata?.name ?? ''}`;
      if (objects.has(path)) refuse(409, 'AlreadyExists');
      else response.end(JSON.stringify(save(path, body)));
      return;
    }
    const path = request.path.replace(/\/status$/, '');
    const before = objects.get(path);
    if (before === undefined) refuse(404, 'NotFound');
    else if (
      (metadata?.resourceVersion ?? before.metadata.resourceVersion) !== before.metadata.resourceVersion
    )
      refuse(409, 'Conflict');
    else {
      const merged = method === 'PATCH' ? merge(before, body) : body;
      const kept = path === request.path ? merged : { ...before, status: (merged as Stored)['status'] };
      response.end(JSON.stringify(save(path, kept as object)));
    }
  };
  const answer = async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> => {
    if (store.intercept(request, response)) return;
    if (request.method === 'GET') {
      answerGet(url, response);
      return;
    }
    const body = JSON.parse(await text(request)) as Record<string, unknown>;
    answerWrite({ method: request.method ?? '', path: url.pathname, body }, response);
  };
  api.lists = [(response, url, request) => void answer(request, response, url)];
  api.watchSteps = [
    (response, url, request) => {
      if (store.intercept(request, response)) return;
      response.flushHeaders();
      watchers.push({ collection: url.pathname, response });
      // What came between the list and the watch.
      const since = Number(url.searchParams.get('resourceVersion'));
      for (const [path, object] of objects)
        if (isIn(path, url.pathname) && Number(object.metadata.resourceVersion) > since)
          response.write(`${JSON.stringify({ type: 'MODIFIED', object })}\n`);
    },
  ];
  return store;
}

// What is in a namespace is also in the collection of all namespaces.
function isIn(path: string, collection: string): boolean {
  const own = path.slice(0, path.lastIndexOf('/'));
  return own === collection || own.replace(/\/namespaces\/[^/]+(?=\/)/, '') === collection;
}

/** RFC 7386. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = {
    ...(typeof target === 'object' && !Array.isArray(target) ? target : {}),
  };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}
