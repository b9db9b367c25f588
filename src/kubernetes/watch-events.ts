// What does the API server tell us? Readers of list pages and of watch lines: untrusted JSON to typed values.
// Pure apart from consuming the byte stream; what an event changes is left to list-watch.ts.
import type { KubernetesObject } from '@kubernetes/client-node';

/**
 * Source: etcd refuses requests above 1.5 MiB; JSON may be larger than what is stored, but not several times.
 */
export const MAX_WATCH_LINE_BYTES = 8 * 1024 * 1024;

/** A stored object with the two fields that a watch cannot do without. */
export interface NamedObject {
  readonly key: string;
  readonly resourceVersion: string;
  readonly object: KubernetesObject;
}

/** `Gone`: an ERROR event; whatever its code, nothing says where to continue. */
export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly named: NamedObject }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }
  | { readonly type: 'ERROR'; readonly code: number; readonly message: string };

/** One page of a list; `continue` is `""` on the last one. */
export interface ListPage {
  readonly resourceVersion: string;
  readonly continue: string;
  readonly items: readonly NamedObject[];
}

/** An answer that is no list page or no watch event. */
export class MalformedAnswerError extends Error {
  override readonly name = 'MalformedAnswerError';
}

/**
 * The page of a `…List` answer. Items get the `apiVersion` and `kind` that the API server leaves out of lists of
 * built-in types, so that an object looks the same from a list and from a watch.
 * @throws MalformedAnswerError
 */
export function parseListPage(answer: unknown): ListPage {
  const list = toRecord(answer, 'a list');
  const metadata = toRecord(list['metadata'], 'metadata of a list');
  const { resourceVersion } = metadata;
  const items = list['items'];
  if (typeof resourceVersion !== 'string' || resourceVersion === '' || !Array.isArray(items)) {
    throw new MalformedAnswerError('not a list: resourceVersion or items are missing');
  }
  const defaults = {
    ...(typeof list['apiVersion'] === 'string' && { apiVersion: list['apiVersion'] }),
    ...(typeof list['kind'] === 'string' && { kind: list['kind'].replace(/List$/u, '') }),
  };
  return {
    resourceVersion,
    continue: typeof metadata['continue'] === 'string' ? metadata['continue'] : '',
    items: items.map((item) => toNamed({ ...defaults, ...toRecord(item, 'an item of a list') })),
  };
}

/** One line of a watch. @throws MalformedAnswerError */
export function parseWatchEvent(line: Uint8Array): WatchEvent {
  const event = toRecord(parse(line), 'a watch event');
  const object = toRecord(event['object'], 'the object of a watch event');
  switch (event['type']) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type: event['type'], named: toNamed(object) };
    case 'BOOKMARK': {
      const resourceVersion = toRecord(object['metadata'], 'metadata of a bookmark')['resourceVersion'];
      if (typeof resourceVersion !== 'string' || resourceVersion === '') break;
      return { type: 'BOOKMARK', resourceVersion };
    }
    case 'ERROR':
      return {
        type: 'ERROR',
        code: typeof object['code'] === 'number' ? object['code'] : 0,
        message: typeof object['message'] === 'string' ? object['message'].slice(0, 512) : 'no message',
      };
    default:
  }
  throw new MalformedAnswerError(`not a watch event: type ${String(event['type']).slice(0, 32)}`);
}

/**
 * The complete lines of a stream; an unfinished last line (a connection that broke) is dropped.
 * @throws MalformedAnswerError when a line exceeds `maximumBytes`.
 */
export async function* readLines(
  stream: AsyncIterable<Uint8Array>,
  maximumBytes: number,
): AsyncGenerator<Uint8Array, void, void> {
  let pending: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    let rest = chunk;
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      assertSize(size + end, maximumBytes);
      const line = Buffer.concat([...pending, rest.subarray(0, end)]);
      rest = rest.subarray(end + 1);
      pending = [];
      size = 0;
      if (line.byteLength > 0) yield line;
    }
    size += rest.byteLength;
    assertSize(size, maximumBytes);
    if (rest.byteLength > 0) pending.push(rest);
  }
}

function assertSize(size: number, maximumBytes: number): void {
  if (size > maximumBytes)
    throw new MalformedAnswerError(`a watch line is larger than ${maximumBytes} bytes`);
}

function parse(line: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line));
  } catch (error) {
    throw new MalformedAnswerError('a watch line is not JSON', { cause: error });
  }
}

function toRecord(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new MalformedAnswerError(`not ${what}: an object is expected`);
}

function toNamed(object: Record<string, unknown>): NamedObject {
  const metadata = toRecord(object['metadata'], 'metadata of an object');
  const { name, namespace, resourceVersion } = metadata;
  if (typeof name !== 'string' || name === '' || typeof resourceVersion !== 'string') {
    throw new MalformedAnswerError('not a stored object: name or resourceVersion is missing');
  }
  const key = typeof namespace === 'string' && namespace !== '' ? `${namespace}/${name}` : name;
  return { key, resourceVersion, object };
}
