// Is a policy file read one way only, with the line of every fault?
import assert from 'node:assert/strict';
import { parseDocuments, toMaterial } from '../../src/policy/documents.ts';

const POLICY = `apiVersion: modelpolicy.dev/v1alpha1
kind: ClusterModelPolicy
metadata: { name: prod }
spec:
  authorities:
    - name: a
`;

const faultOf = (text: string): string => {
  const { documents, faults } = parseDocuments(text, 'p.yaml');
  return faults.length === 0
    ? `${documents.length} documents`
    : faults.map(({ where, message }) => `${where} ${message}`).join('; ');
};

describe('parseDocuments()', () => {
  it('reads every kind, and where its parts stand', () => {
    const text = `${POLICY}---\napiVersion: v1\nkind: Secret\nmetadata: { name: s, namespace: n }\n---\n# nothing\n---\napiVersion: modelpolicy.dev/v1alpha1\nkind: TrustRoot\nmetadata: { name: r }\n`;
    const { documents, faults } = parseDocuments(text, 'p.yaml');
    assert.deepEqual(faults, []);
    assert.deepEqual(
      documents.map(({ kind, name, namespace }) => [kind, name, namespace]),
      [
        ['ClusterModelPolicy', 'prod', undefined],
        ['Secret', 's', 'n'],
        ['TrustRoot', 'r', undefined],
      ],
    );
    assert.equal(documents[0]?.locate(['spec', 'authorities', 0, 'name']), 'p.yaml:6:13');
    assert.equal(documents[0].locate(['spec', 'nope', 'deeper']), 'p.yaml:5:3');
  });

  it('reads a ModelPolicy, which stands in a namespace', () => {
    const own = POLICY.replace('ClusterModelPolicy', 'ModelPolicy');
    const { documents } = parseDocuments(own.replace('name: prod', 'name: prod, namespace: team'), 'p.yaml');
    assert.deepEqual(
      documents.map(({ kind, name, namespace }) => [kind, name, namespace]),
      [['ModelPolicy', 'prod', 'team']],
    );
    assert.match(faultOf(own), /metadata\.namespace is required/);
  });

  const refused: [string, string, RegExp][] = [
    [
      'a member twice',
      POLICY.replace('spec:', 'kind: TrustRoot\nspec:'),
      /p\.yaml:\d+:\d+ YAML does not parse/,
    ],
    [
      'an unknown kind',
      POLICY.replace('ClusterModelPolicy', 'NamespacedModelPolicy'),
      /^p\.yaml:2:7 kind "NamespacedModelPolicy" is not supported/,
    ],
    [
      'a ModelPolicy of no namespace',
      POLICY.replace('ClusterModelPolicy', 'ModelPolicy'),
      /metadata\.namespace is required/,
    ],
    [
      'a prototype name for a kind',
      POLICY.replace('ClusterModelPolicy', 'constructor'),
      /kind "constructor" is not supported/,
    ],
    [
      'another version',
      POLICY.replace('v1alpha1', 'v1'),
      /^p\.yaml:1:13 apiVersion of ClusterModelPolicy must be/,
    ],
    ['no name', POLICY.replace('name: prod', ''), /metadata\.name is required/],
    ['an unknown field', `${POLICY}rules: []\n`, /unknown field "rules"/],
    ['no object', '- a\n', /a document is no object/],
    ['a broken document', 'a: [', /YAML does not parse/],
    ['an unknown tag', 'a: !!js/function "x"\nb: {', /YAML does not parse/],
  ];
  for (const [what, text, pattern] of refused)
    it(`refuses ${what}`, () => {
      assert.match(faultOf(text), pattern);
    });

  it('refuses hostile YAML without hanging', () => {
    const laughs = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
      .split('')
      .map((name, n) => `${name}: &${name} [${Array(10).fill(`*${'abcdefgh'[n]}`).join(',')}]`)
      .join('\n')}\n`;
    assert.match(faultOf(laughs), /too many aliases/);
    assert.match(faultOf(`a: ${'['.repeat(50_000)}`), /too deeply|does not parse/);
  });

  it('keeps __proto__ as data', () => {
    const { documents } = parseDocuments(`${POLICY}  __proto__: { models: [] }\n`, 'p.yaml');
    assert.deepEqual(Object.keys(documents[0]?.object['spec'] as object), ['authorities', '__proto__']);
    assert.equal(Object.getPrototypeOf(documents[0]?.object['spec']), Object.prototype);
  });
});

describe('toMaterial()', () => {
  const read = (kind: 'Secret' | 'ConfigMap', object: Record<string, unknown>): Record<string, string> =>
    Object.fromEntries([...toMaterial({ kind, object })].map(([key, value]) => [key, value.toString()]));

  it('decodes Secrets and ConfigMaps as the API server does', () => {
    assert.deepEqual(read('Secret', { data: { a: 'aGk=', b: 7 }, stringData: { a: 'wins', c: 'text' } }), {
      a: 'wins',
      c: 'text',
    });
    assert.deepEqual(
      read('ConfigMap', { data: { a: 'aGk=' }, binaryData: { b: 'aGk=' }, stringData: { c: 'no' } }),
      { a: 'aGk=', b: 'hi' },
    );
    assert.deepEqual(read('Secret', { data: null }), {});
  });
});
