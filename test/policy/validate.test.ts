// Does every fault of ajv become a path, and are the schemas structural?
import assert from 'node:assert/strict';
import {
  CLUSTER_MODEL_POLICY_SPEC,
  MODEL_POLICY_SPEC,
} from '../../src/policy/cluster-model-policy-schema.ts';
import { exactlyOne, type Schema } from '../../src/policy/schema.ts';
import { TRUST_ROOT_SPEC } from '../../src/policy/trust-root-schema.ts';
import { toFieldPath, toSteps, validateSpec } from '../../src/policy/validate.ts';

type Steps = readonly (string | number)[];

// The node that each path leads to, and the same document with something wrong there.
function* nodesOf(schema: Schema, path: Steps = []): Generator<{ path: Steps; schema: Schema }> {
  yield { path, schema };
  for (const [name, child] of Object.entries(schema.properties ?? {})) yield* nodesOf(child, [...path, name]);
  if (schema.items !== undefined) yield* nodesOf(schema.items, [...path, 0]);
  if (schema.additionalProperties !== undefined)
    yield* nodesOf(schema.additionalProperties, [...path, 'some/key~x']);
}

function documentWith(path: Steps, value: unknown): unknown {
  return path
    .toReversed()
    .reduce<unknown>((inner, step) => (typeof step === 'number' ? [inner] : { [step]: inner }), value);
}

const WRONG: Readonly<Record<Schema['type'], unknown>> = {
  object: 7,
  array: 'text',
  string: {},
  integer: 'text',
  boolean: 'text',
};

describe('validateSpec()', () => {
  for (const [kind, schema] of [
    ['ClusterModelPolicy', CLUSTER_MODEL_POLICY_SPEC],
    ['ModelPolicy', MODEL_POLICY_SPEC],
    ['TrustRoot', TRUST_ROOT_SPEC],
  ] as const) {
    it(`names the path of a wrong type anywhere in ${kind}`, () => {
      for (const { path, schema: node } of nodesOf(schema)) {
        const paths = validateSpec(kind, documentWith(path, WRONG[node.type])).map((fault) =>
          toFieldPath(['spec', ...fault.path]),
        );
        assert.ok(paths.includes(toFieldPath(['spec', ...path])), `${toFieldPath(path)}: ${paths.join(' ')}`);
      }
    });

    it(`refuses null anywhere in ${kind}`, () => {
      for (const { path } of nodesOf(schema))
        assert.ok(validateSpec(kind, documentWith(path, null)).length > 0, toFieldPath(path));
    });

    it(`names unknown fields anywhere in ${kind}`, () => {
      for (const { path, schema: node } of nodesOf(schema)) {
        if (node.properties === undefined) continue;
        const faults = validateSpec(kind, documentWith(path, { 'odd/field~': 1 }));
        assert.ok(
          faults.some(
            (fault) => fault.path.at(-1) === 'odd/field~' && fault.message.startsWith('unknown field'),
          ),
          toFieldPath(path),
        );
      }
    });

    it(`describes and bounds every field of ${kind}`, () => {
      for (const { path, schema: node } of nodesOf(schema)) {
        if (typeof path.at(-1) === 'string' && path.at(-1) !== 'some/key~x')
          assert.ok((node.description ?? '').length > 0, toFieldPath(path));
        if (node.type === 'array')
          assert.ok(node.maxItems !== undefined && node.items !== undefined, toFieldPath(path));
        if (node.type === 'string')
          assert.ok(node.maxLength !== undefined || node.enum !== undefined, toFieldPath(path));
        if (node.type === 'integer')
          assert.ok(node.minimum !== undefined && node.maximum !== undefined, toFieldPath(path));
        assert.ok(
          node.properties === undefined || node.additionalProperties === undefined,
          toFieldPath(path),
        );
      }
    });
  }

  it('names at most eight faults, in bounded text', () => {
    const spec = Object.fromEntries(
      Array.from({ length: 100 }, (_, n) => [`${'x'.repeat(1000)}\u001b${n}`, 1]),
    );
    const faults = validateSpec('ClusterModelPolicy', spec);
    assert.equal(faults.length, 8);
    for (const { message } of faults) assert.ok(message.length < 200 && !message.includes('\u001b'));
  });

  it('says what is allowed and what is missing', () => {
    assert.deepEqual(validateSpec('ClusterModelPolicy', {}), [
      { path: [], message: 'authorities is required' },
    ]);
    const [fault] = validateSpec('ClusterModelPolicy', { authorities: [{ name: 'a' }], digest: 'x' });
    assert.match(fault?.message ?? '', /: Require, Resolve$/);
  });
});

describe('toFieldPath()', () => {
  it('writes paths as kubectl does', () => {
    assert.equal(toFieldPath(['spec', 'authorities', 0, 'key']), 'spec.authorities[0].key');
    assert.equal(toFieldPath([]), '');
  });
});

describe('exactlyOne()', () => {
  it('is a rule of the API server', () => {
    assert.deepEqual(exactlyOne(['a', 'b']), [
      {
        rule: '[has(self.a), has(self.b)].filter(x, x).size() == 1',
        message: 'exactly one of a, b must be set',
      },
    ]);
  });
});

describe('toSteps()', () => {
  it('reads back what toFieldPath() wrote', () => {
    for (const path of [['spec'], ['spec', 'authorities', 12, 'key', 'pem'], ['spec', 'a', 0, 1, 'b']])
      assert.deepEqual(toSteps(toFieldPath(path)), path);
    assert.deepEqual(toSteps(''), []);
  });
});
