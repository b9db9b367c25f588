// Is an identity matched whole and exactly?
import assert from 'node:assert/strict';
import { compileRegularExpression } from '../../src/policy/cel/regular-expression.ts';
import { createExactMatcher, matchIdentity, type TextMatcher } from '../../src/signature/identity.ts';
import { ALICE, exactIdentity } from './support.ts';

const signer = { ...ALICE, claims: { sourceRepository: 'https://r.test/a' } };

function pattern(source: string): TextMatcher {
  const compiled = compileRegularExpression(source);
  if (!compiled.ok) throw new Error(compiled.message);
  return { matches: compiled.matches, describe: source };
}

describe('matchIdentity', () => {
  it('matches the exact identity', () => {
    assert.ok(matchIdentity(signer, exactIdentity()));
  });

  for (const subject of [
    'xalice@models.test',
    'alice@models.test.evil.example',
    'alice@modelsXtest',
    'Alice@models.test',
    ' alice@models.test',
    'alice@models.test\n',
    'alice@models.tes',
    '',
  ])
    it(`refuses the subject ${JSON.stringify(subject)}`, () => {
      assert.ok(!matchIdentity({ ...signer, subject }, exactIdentity()));
    });

  for (const issuer of [
    'https://idp.models.test/',
    'http://idp.models.test',
    'https://idp.models.test.evil.example',
    'xhttps://idp.models.test',
    'https://idpxmodels.test',
    '',
  ])
    it(`refuses the issuer ${JSON.stringify(issuer)}`, () => {
      assert.ok(!matchIdentity({ ...signer, issuer }, exactIdentity()));
    });

  it('wants every claim, exactly', () => {
    assert.ok(matchIdentity(signer, exactIdentity(ALICE, { sourceRepository: 'https://r.test/a' })));
    assert.ok(!matchIdentity(signer, exactIdentity(ALICE, { sourceRepository: 'https://r.test/' })));
    assert.ok(
      !matchIdentity(
        signer,
        exactIdentity(ALICE, { sourceRepository: 'https://r.test/a', buildTrigger: 'push' }),
      ),
    );
  });

  it('finds no claim in a prototype', () => {
    const anything = pattern('(?s).*');
    for (const name of ['constructor', '__proto__', 'toString', 'buildTrigger'])
      assert.ok(!matchIdentity(signer, { ...exactIdentity(), claims: new Map([[name, anything]]) }), name);
  });

  it('matches patterns against the whole text', () => {
    const cases: [string, string, boolean][] = [
      ['alice@models\\.test', 'alice@models.test', true],
      ['alice@models\\.test', 'alice@models.test.evil', false],
      ['alice@models\\.test', 'xalice@models.test', false],
      ['a|ab', 'ab', true],
      ['a|b', 'ax', false],
      ['refs/tags/v.*', 'refs/tags/v1\nrefs/heads/main', false],
      ['(?m)^a$', 'a\nb', false],
      ['', 'a', false],
      ['', '', true],
      ['(?i)ALICE', 'alice', true],
    ];
    for (const [source, text, expected] of cases)
      assert.equal(
        matchIdentity({ ...signer, subject: text }, { ...exactIdentity(), subject: pattern(source) }),
        expected,
        source,
      );
  });

  it('matches hostile texts in linear time', () => {
    assert.ok(!pattern('(a+)+').matches(`${'a'.repeat(4000)}!`));
  });
});

describe('createExactMatcher', () => {
  it('escapes what it describes', () => {
    assert.equal(createExactMatcher('a\n\u001b"').describe, '"a\\n\\u001b\\""');
  });
});
