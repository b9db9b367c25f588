// Which bodies reach a decision? Everything that is no AdmissionReview is refused without harm, over real HTTPS (fault 51:
// truncated, oversized, of a wrong type, without a uid, v1beta1; and an update of two objects of 3 MiB that is legitimate).
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { MAX_REVIEW_BYTES, parseReview } from '../../src/admission/review.ts';
import { pushModel, pushSigned, startController, type Controller } from '../support/controller.ts';
import { expectAllowed, expectDenied } from '../support/expect.ts';
import { podOf, reviewOf, updateOf, volumePod } from '../support/review.ts';

interface JsonError {
  readonly error: { readonly reason: string; readonly message: string };
}

describe('parseReview()', () => {
  let controller: Controller;
  let good: string;

  before(async () => {
    controller = await startController();
    good = pushSigned(controller.registry).reference;
  });
  after(() => controller.stop());
  // Whatever was sent: the next request is decided as if nothing had happened.
  afterEach(() => expectAllowed(controller, reviewOf(volumePod(good))));

  async function expectRefused(body: string | Buffer, status = 400): Promise<string> {
    const answer = await controller.post(body);
    assert.equal(answer.status, status, answer.text);
    assert.match(String(answer.headers['content-type']), /^application\/json/);
    const { error } = JSON.parse(answer.text) as JsonError;
    assert.equal(error.reason, 'RequestMalformed');
    return error.message;
  }

  const request = { uid: 'u', kind: { group: '', version: 'v1', kind: 'Pod' }, operation: 'CREATE' };
  const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request };
  const cases: readonly (readonly [string, string | Buffer])[] = [
    ['an empty body', ''],
    ['what is no JSON', 'uid=1'],
    ['truncated JSON', JSON.stringify(reviewOf(podOf({}))).slice(0, -20)],
    ['two documents', `${JSON.stringify(review)}${JSON.stringify(review)}`],
    ['null', 'null'],
    ['an array', JSON.stringify([review])],
    ['a string', '"AdmissionReview"'],
    ['a Pod in place of a review', JSON.stringify(podOf({}))],
    ['v1beta1', JSON.stringify({ ...review, apiVersion: 'admission.k8s.io/v1beta1' })],
    ['another kind', JSON.stringify({ ...review, kind: 'ConversionReview' })],
    ['a review without a request', JSON.stringify({ ...review, request: undefined })],
    ['a request that is null', JSON.stringify({ ...review, request: null })],
    ['a request that is an array', JSON.stringify({ ...review, request: [request] })],
    ['no uid', JSON.stringify({ ...review, request: { ...request, uid: undefined } })],
    ['an empty uid', JSON.stringify({ ...review, request: { ...request, uid: '' } })],
    ['a uid that is a number', JSON.stringify({ ...review, request: { ...request, uid: 7 } })],
    ['a uid without end', JSON.stringify({ ...review, request: { ...request, uid: 'u'.repeat(129) } })],
    [
      'a uid only in a prototype',
      `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"__proto__":${JSON.stringify(request)}}}`,
    ],
    [
      'a request only in a prototype',
      `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","__proto__":{"request":${JSON.stringify(request)}}}`,
    ],
    ['JSON 10,000 deep', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
    ['objects 10,000 deep', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
    ['duplicate members', JSON.stringify(review).replace('"uid":"u"', '"uid":"u","uid":"v"')],
    [
      'duplicate members by an escape',
      JSON.stringify(review).replace('"uid":"u"', String.raw`"uid":"u","\u0075id":"v"`),
    ],
    [
      'a second object',
      JSON.stringify({ ...review, request: { ...request, object: {} } }).replace(
        '"object":{}',
        '"object":{},"object":null',
      ),
    ],
    ['NUL bytes', Buffer.concat([Buffer.from(JSON.stringify(review)), Buffer.alloc(16)])],
    ['a body of NUL bytes', Buffer.alloc(4096)],
    ['UTF-16', Buffer.from(JSON.stringify(review), 'utf16le')],
    ['invalid UTF-8', Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')])],
    ['a byte order mark', `\ufeff${JSON.stringify(review)}`],
    ['a number of 10,000 digits', JSON.stringify(review).replace('"u"', '9'.repeat(10_000))],
  ];
  for (const [what, body] of cases) {
    it(`refuses ${what}`, async () => {
      await expectRefused(body);
    });
  }

  it('refuses more than 7 MiB, and admits the same object below it', async () => {
    const padded = (bytes: number): string => {
      const empty = JSON.stringify(reviewOf(podOf({}, { annotations: { pad: '' } })));
      return empty.replace('"pad":""', `"pad":"${'x'.repeat(bytes - empty.length)}"`);
    };
    assert.match(await expectRefused(padded(MAX_REVIEW_BYTES + 1), 413), /larger than 7340032 bytes/);
    assert.equal((await controller.post(padded(MAX_REVIEW_BYTES))).status, 200);
  });

  it('refuses compressed bodies, whatever they hold', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const answer = await controller.post(bomb, { headers: { 'content-encoding': 'gzip' } });
    assert.equal(answer.status, 415);
    assert.equal((JSON.parse(answer.text) as JsonError).error.reason, 'RequestMalformed');
    // Without the header it is merely no JSON.
    await expectRefused(gzipSync(JSON.stringify(review)));
  });

  it('reads a review whatever its content type says', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      '*/*',
      ';;;',
    ]) {
      const sent = reviewOf(podOf({}));
      assert.equal((await controller.ask(sent, { headers: { 'content-type': type } })).allowed, true, type);
    }
  });

  it('accepts an update of two objects of almost 3 MiB', async () => {
    const annotations = { pad: 'x'.repeat(3 * 1024 * 1024 - 4096) };
    const pod = podOf(volumePod(good)['spec'] as object, { annotations });
    await expectAllowed(
      controller,
      updateOf(pod, { ...pod, metadata: { annotations: { ...annotations, a: 'b' } } }),
      'exempt-unchanged',
    );
    await expectAllowed(controller, updateOf({ ...pod, spec: {} }, pod));
    const unsigned = pushModel(controller.registry).reference;
    await expectDenied(
      controller,
      updateOf(pod, podOf(volumePod(unsigned)['spec'] as object, { annotations })),
      {
        code: 403,
        reasons: ['SignatureMissing'],
      },
    );
  });

  describe('with a uid', () => {
    const wrong: readonly (readonly [string, Record<string, unknown>])[] = [
      ['no kind', { kind: undefined }],
      ['a kind that is a string', { kind: 'Pod' }],
      ['a kind without a group', { kind: { version: 'v1', kind: 'Pod' } }],
      ['a kind that is a number', { kind: { group: '', version: 'v1', kind: 1 } }],
      ['no operation', { operation: undefined }],
      ['an unknown operation', { operation: 'PATCH' }],
      ['an operation in lower case', { operation: 'delete' }],
      ['an operation that is a list', { operation: ['DELETE'] }],
      ['a subresource that is an object', { subResource: {} }],
      ['a namespace that is an array', { namespace: ['kube-system'] }],
      ['a namespace that is null', { namespace: null }],
      ['a name without end', { name: 'n'.repeat(254) }],
      ['a user that is a string', { userInfo: 'admin' }],
      ['a user name that is an object', { userInfo: { username: {} } }],
      ['dryRun as text', { dryRun: 'true' }],
      ['a Pod that is null', { object: null }],
      ['no object', { object: undefined }],
      ['a Pod that is an array', { object: [podOf({})] }],
      ['a Pod that is a string', { object: 'Pod' }],
      ['a Pod without a spec', { object: { kind: 'Pod' } }],
      ['a spec that is an array', { object: { spec: [] } }],
      [
        'a spec only in a prototype',
        { object: JSON.parse('{"__proto__":{"spec":{"containers":[]}}}') as unknown },
      ],
    ];
    for (const [what, fields] of wrong) {
      it(`denies ${what} and echoes the uid`, async () => {
        await expectDenied(controller, reviewOf(podOf({}), fields), {
          code: 400,
          reasons: ['RequestMalformed'],
        });
      });
    }

    it('reads __proto__ members as members and pollutes nothing', async () => {
      const evil =
        '{"__proto__":{"polluted":true,"isAdmin":true},"constructor":{"prototype":{"polluted":true}}}';
      const body = JSON.stringify(reviewOf(podOf({}, { labels: 'LABELS', annotations: 'LABELS' })))
        .replaceAll('"LABELS"', evil)
        .replace('"userInfo":{', `"userInfo":{"__proto__":{"polluted":true},`)
        .replace('"request":{', `"__proto__":{"polluted":true},"request":{"__proto__":{"polluted":true},`);
      assert.equal((await controller.post(body)).status, 200);
      assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
      assert.equal(([] as unknown as Record<string, unknown>)['polluted'], undefined);
    });

    it('ignores members that it does not know', async () => {
      await expectAllowed(controller, {
        ...reviewOf(podOf({}), { futureField: [1] }),
        response: { allowed: true },
      });
    });
  });

  it('never throws for content', () => {
    for (const body of [
      Buffer.alloc(0),
      Buffer.from('{'),
      Buffer.from('{"kind":'),
      Buffer.alloc(MAX_REVIEW_BYTES + 1, 0x5b),
    ])
      assert.equal(parseReview(body).ok, false);
  });
});
