// Does an exception cover what it names, end when it must, and cover nothing when it is wrong?
import assert from 'node:assert/strict';
import {
  compileException,
  MAX_EXCEPTION_LIFE_MS,
  toCreatedAt,
  type CompiledException,
} from '../../src/policy/compile-exception.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const OTHER = `sha256:${'cd'.repeat(32)}`;
const SPEC = {
  policies: ['prod-models'],
  namespaces: ['team-a'],
  models: [`registry.example.com/models/llm@${DIGEST}`],
  reason: 'vendor signs again on 12-01',
  requestedBy: 'jane@acme.example',
  expiresAt: '2026-12-05T00:00:00Z',
};

function compile(spec: unknown, createdAt?: string): CompiledException {
  const result = compileException({ name: 'x', spec, ...(createdAt && { createdAt }) });
  if (!result.ok) throw new Error(result.problem);
  return result.exception;
}

function problemOf(spec: unknown): string {
  const result = compileException({ name: 'x', spec });
  return result.ok ? 'none' : result.problem;
}

describe('compileException()', () => {
  it('covers a model by its repository and digest, and nothing else', () => {
    const { covers } = compile(SPEC);
    assert.equal(covers('registry.example.com/models/llm', DIGEST), true);
    assert.equal(covers('registry.example.com/models/llm', OTHER), false);
    assert.equal(covers('registry.example.com/models/llm', undefined), false);
    assert.equal(covers('registry.example.com/models/llm2', DIGEST), false);
    assert.equal(covers('registry.example.com.evil.test/models/llm', DIGEST), false);
  });

  it('covers a glob of repositories only with anyDigest', () => {
    const models = ['registry.example.com/models/*'];
    assert.match(problemOf({ ...SPEC, models }), /^spec\.models\[0\]: a model must be named by digest/);
    const { covers } = compile({ ...SPEC, models, anyDigest: true });
    assert.equal(covers('registry.example.com/models/llm', OTHER), true);
    assert.equal(covers('registry.example.com/models/llm', undefined), true);
    assert.equal(covers('registry.example.com/models/a/b', OTHER), false);
  });

  it('ends when it says, at the latest 90 days after it was made', () => {
    assert.equal(compile(SPEC).endsAt.toISOString(), '2026-12-05T00:00:00.000Z');
    assert.equal(compile(SPEC, '2026-11-01T00:00:00Z').endsAt.toISOString(), '2026-12-05T00:00:00.000Z');
    const late = compile({ ...SPEC, expiresAt: '2036-01-01T00:00:00Z' }, '2026-11-01T00:00:00Z');
    assert.equal(late.endsAt.getTime(), Date.UTC(2026, 10, 1) + MAX_EXCEPTION_LIFE_MS);
  });

  for (const [what, spec, problem] of [
    ['no spec', undefined, /must be object/],
    ['no policies', { ...SPEC, policies: [] }, /^spec\.policies: must NOT have fewer/],
    ['every policy', { ...SPEC, policies: ['*'] }, /^spec\.policies\[0\]: must match/],
    ['no namespaces', { ...SPEC, namespaces: [] }, /^spec\.namespaces/],
    ['every namespace', { ...SPEC, namespaces: ['*'] }, /^spec\.namespaces\[0\]: must match/],
    ['a namespace pattern', { ...SPEC, namespaces: ['team-*'] }, /^spec\.namespaces\[0\]: must match/],
    ['no models', { ...SPEC, models: [] }, /^spec\.models/],
    ['a tag', { ...SPEC, models: ['registry.example.com/m:v1'] }, /^spec\.models\[0\]/],
    [
      'a digest without registry',
      { ...SPEC, models: [`m@${DIGEST}`] },
      /^spec\.models\[0\]: .* is no reference/,
    ],
    ['a broken digest', { ...SPEC, models: ['registry.example.com/m@sha256:1'] }, /^spec\.models\[0\]/],
    [
      'a glob over registries',
      { ...SPEC, models: ['*/**'], anyDigest: true },
      /^spec\.models\[0\]: it must begin/,
    ],
    ['no reason', { ...SPEC, reason: undefined }, /^spec: reason is required/],
    ['nobody', { ...SPEC, requestedBy: '' }, /^spec\.requestedBy/],
    ['no end', { ...SPEC, expiresAt: undefined }, /^spec: expiresAt is required/],
    ['a day that is none', { ...SPEC, expiresAt: '2026-02-30T00:00:00Z' }, /^spec\.expiresAt: it is no/],
    ['a month that is none', { ...SPEC, expiresAt: '2026-13-01T00:00:00Z' }, /^spec\.expiresAt: it is no/],
    ['local time', { ...SPEC, expiresAt: '2026-02-03T00:00:00+01:00' }, /^spec\.expiresAt: must match/],
    ['an unknown field', { ...SPEC, namespaceSelector: {} }, /unknown field "namespaceSelector"/],
  ] as const)
    it(`refuses ${what}`, () => {
      assert.match(problemOf(spec === undefined ? spec : JSON.parse(JSON.stringify(spec))), problem);
    });
});

describe('toCreatedAt()', () => {
  it('reads when an object was made, where it says so', () => {
    const creationTimestamp = '2026-11-01T00:00:00Z';
    assert.deepEqual(toCreatedAt({ metadata: { creationTimestamp } }), { createdAt: creationTimestamp });
    for (const object of [{}, { metadata: {} }, { metadata: { creationTimestamp: 7 } }, null])
      assert.deepEqual(toCreatedAt(object), {});
  });
});
