// Are named objects what the API server last said, read one by one, and gone when it says so?
import assert from 'node:assert/strict';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import { KubernetesApiError } from '../../src/kubernetes/errors.ts';
import {
  createNamedObjects,
  MAX_NAMED_OBJECT_CHARS,
  type NamedObjects,
} from '../../src/kubernetes/named-objects.ts';

const PATH = '/api/v1/namespaces/a/secrets/signer';

describe('createNamedObjects()', () => {
  let answer: () => unknown;
  let asked: string[];
  let stop: AbortController;
  let changes: number;
  let waiting: (() => void)[];

  beforeEach(() => {
    asked = [];
    changes = 0;
    waiting = [];
    stop = new AbortController();
    answer = () => ({ data: { key: 'YQ==' } });
  });
  afterEach(() => stop.abort());

  function start(): NamedObjects {
    const client = {
      get: (path: string) => {
        asked.push(path);
        return new Promise((resolve) => {
          resolve(answer());
        });
      },
    } as unknown as KubernetesClient;
    const onChange = (): void => {
      changes += 1;
      for (const tell of waiting.splice(0)) tell();
    };
    return createNamedObjects({ client, onChange, signal: stop.signal, intervalMs: 5 });
  }
  const changed = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));
  const askedAgain = async (times: number): Promise<void> => {
    for (const from = asked.length; asked.length < from + times;)
      await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it('reads what is wanted at once, tells, and reads nothing else', async () => {
    const objects = start();
    assert.equal(objects.read(PATH), undefined);
    void objects.want(new Set([PATH]));
    await changed();
    assert.deepEqual(objects.read(PATH), { data: { key: 'YQ==' } });
    assert.deepEqual(new Set(asked), new Set([PATH]));
  });

  for (const trouble of [undefined, new Error('cut')])
    it(`says when all that is new was tried, ${trouble === undefined ? 'and read' : 'read or not'}`, async () => {
      const objects = start();
      answer = () => {
        if (trouble !== undefined) throw trouble;
        return { data: {} };
      };
      await objects.want(new Set([PATH, `${PATH}-2`]));
      assert.ok([PATH, `${PATH}-2`].every((path) => asked.includes(path)));
      assert.deepEqual(objects.read(PATH), trouble === undefined ? { data: {} } : undefined);
    });

  it('keeps the very object while it stays the same, and tells nobody', async () => {
    const objects = start();
    void objects.want(new Set([PATH]));
    await changed();
    const before = objects.read(PATH);
    await askedAgain(3);
    assert.equal(objects.read(PATH), before);
    assert.equal(changes, 1);
    answer = () => ({ data: { key: 'Yg==' } });
    await changed();
    assert.deepEqual(objects.read(PATH), { data: { key: 'Yg==' } });
  });

  for (const status of [403, 404])
    it(`forgets what is answered with ${status}`, async () => {
      const objects = start();
      void objects.want(new Set([PATH]));
      await changed();
      answer = () => {
        throw new KubernetesApiError({ status, reason: 'Refused', message: 'no' });
      };
      await changed();
      assert.equal(objects.read(PATH), undefined);
    });

  it('keeps what it knows through an outage', async () => {
    const objects = start();
    void objects.want(new Set([PATH]));
    await changed();
    answer = () => {
      throw new KubernetesApiError({ status: 0, reason: 'Unreachable', message: 'no route' });
    };
    await askedAgain(3);
    assert.notEqual(objects.read(PATH), undefined);
  });

  it('does not keep what is too large, nor what is not wanted any more', async () => {
    const objects = start();
    void objects.want(new Set([PATH]));
    await changed();
    answer = () => ({ data: 'x'.repeat(MAX_NAMED_OBJECT_CHARS) });
    await changed();
    assert.equal(objects.read(PATH), undefined);
    answer = () => ({ data: {} });
    await changed();
    void objects.want(new Set());
    assert.equal(objects.read(PATH), undefined);
  });
});
