// Are rules that gain by what is missing told from rules that lose by it?
import assert from 'node:assert/strict';
import { createCelEngine, type CelScope } from '../../../src/policy/cel/engine.ts';

const engine = createCelEngine();

function adviceOf(source: string, scope: CelScope = 'validation'): readonly string[] {
  const compiled = engine.compile(source, scope);
  assert.ok(compiled.ok, JSON.stringify(compiled));
  return (compiled.advice ?? []).map(
    ({ code, range }) => `${code} ${source.slice(range?.start, range?.end)}`,
  );
}

describe('findAbsence()', () => {
  for (const [source, part = source] of [
    ["signatures.all(s, s.issuer == 'x')"],
    ["!signatures.exists(s, s.issuer == 'x')", "signatures.exists(s, s.issuer == 'x')"],
    ["signatures.exists(s, s.issuer == 'x') == false", "signatures.exists(s, s.issuer == 'x')"],
    ["!(signatures.exists(s, s.issuer == 'x') && true)", "signatures.exists(s, s.issuer == 'x')"],
    ["attestations.filter(a, a.name == 'scan').all(a, true)"],
    ['attestations.exists_one(a, true)'],
    ['attestations.existsOne(i, a, true)'],
    ['signatures.size() < 2'],
    ['2 > size(signatures)'],
    ['size(attestations) == 0'],
    ['signatures.size() == 2'],
    ['!(signatures.size() >= 1)', 'signatures.size() >= 1'],
    ["!('a' in signatures.map(s, s.authority))", "'a' in signatures.map(s, s.authority)"],
    ['signatures.exists(s, s.logs.all(l, l.index > 0))', 's.logs.all(l, l.index > 0)'],
    ['signatures.exists(s, !has(s.signedAt))', 'has(s.signedAt)'],
    ['signatures.exists(s, s.timeSources.size() == 0)', 's.timeSources.size() == 0'],
    ['attestations[?0].hasValue() ? false : true', 'attestations[?0].hasValue()'],
    ['model.size > 0 || signatures.all(i, s, true)', 'signatures.all(i, s, true)'],
    ['signatures.all(s, true) == (model.size > 0)', 'signatures.all(s, true)'],
    ["'a'.replace(signatures.exists(s, true) ? 'a' : 'b', 'c') == 'a'", 'signatures.exists(s, true)'],
    ['!model.layers.all(l, signatures.exists(s, true))', 'signatures.exists(s, true)'],
    ['!model.layers.exists(l, signatures.exists(s, true))', 'signatures.exists(s, true)'],
    ['signatures.size() != 2'],
    ['!(signatures.size() == 2)', 'signatures.size() == 2'],
    ['signatures[0].logs.all(l, true)'],
    ['attestations.exists(a, a.signature.logs.all(l, true))', 'a.signature.logs.all(l, true)'],
    ['signatures.exists(s, !s.?logs.hasValue())', 's.?logs.hasValue()'],
  ] as const)
    it(`names ${part} of ${source}`, () => {
      assert.deepEqual(adviceOf(source), [`holds_when_absent ${part}`]);
    });

  for (const source of [
    "signatures.exists(s, s.issuer == 'x' && !s.subject.startsWith('y'))",
    'signatures.size() >= 2',
    'size(attestations) != 0',
    '!(size(attestations) == 0)',
    '0 < size(attestations)',
    "'a' in signatures.map(s, s.authority)",
    "model.layers.all(l, l.class == 'rawFile')",
    "!model.layers.exists(l, l.class != 'rawFile')",
    'signatures.filter(s, s.logs.exists(l, l.index > 0)).size() > 1',
    'signatures.exists(s, s.logs.size() >= 1 && has(s.signedAt))',
    "attestations.exists(a, a.predicate.findings.all(f, f.level != 'high'))",
    "!(signatures.all(s, s.issuer == 'x'))",
    'signatures.exists(s, true) == true',
    "signatures.exists(s, s.claims.all(name, name != ''))",
    "!('a' in model.annotations)",
    '!has(object.spec)',
    '!has(object.signedAt)',
    'signatures.exists(s, !has(s.subject))',
    'size(model.layers) < 2',
    "signatures.map(s, s.issuer).join(',').size() < 100",
    'model.layers.filter(l, true).all(l, true)',
    'object.logs.all(l, true)',
    '[model.size].all(size, size > 0)',
    '(-object.sizes).all(size, size > 0)',
    'signatures.size() + 0 > 1',
    '[signatures.size(), 0].exists(size, size > 1)',
  ])
    it(`says nothing about ${source}`, () => assert.deepEqual(adviceOf(source), []));

  it('knows the signature of an attestation', () => {
    assert.deepEqual(adviceOf('signature.logs.all(l, l.index > 0)', 'attestation'), [
      'holds_when_absent signature.logs.all(l, l.index > 0)',
    ]);
    assert.deepEqual(adviceOf('signatures.all(s, true)', 'attestation').length, 1);
  });

  it('copes with an expression as deep as the parser takes', () => {
    const depth = 20;
    const source = `${'!('.repeat(depth)}signatures.all(s, true)${')'.repeat(depth)}`;
    assert.equal(adviceOf(source).length, 1);
  });
});

describe('findChosenText()', () => {
  for (const [source, part] of [
    ["namespaceObject.metadata.labels['tier'] == 'prod'", 'namespaceObject.metadata.labels'],
    ["namespaceObject.metadata.?labels.tier.orValue('') == 'prod'", 'namespaceObject.metadata.?labels'],
    ["'x' in pod.metadata.annotations", 'pod.metadata.annotations'],
    ["object['metadata']['labels'].a == 'b'", "object['metadata']['labels']"],
  ] as const)
    it(`names ${part} of ${source}`, () => {
      assert.deepEqual(adviceOf(source), [`chosen_text ${part}`]);
    });

  it('says nothing about names, or labels of anything else', () => {
    assert.deepEqual(adviceOf("namespaceObject.metadata.name == 'prod' && pod.spec.labels == {}"), []);
    assert.deepEqual(adviceOf("model.annotations['a'] == 'b'"), []);
    assert.deepEqual(adviceOf("object.items.exists(item, item.metadata.labels.a == 'b')"), []);
    assert.deepEqual(adviceOf("object.items[0].pod.metadata.labels.a == 'b'"), []);
  });
});
