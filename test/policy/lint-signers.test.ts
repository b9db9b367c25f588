// How many authorities can distinct signers satisfy at once, at best?
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { countReachable } from '../../src/policy/lint-signers.ts';
import { compile } from '../verdict/support.ts';

const [ONE, TWO, THREE] = ['p256', 'p256', 'p256'].map(() => generateSigningKey('p256').publicKeyPem);
const keyed = (...pems: (string | undefined)[]): object => ({ key: { pem: pems.join('') } });
const keyless = (identity: object, name = 'root'): object => ({
  keyless: { identities: [identity], trustRootRef: { name } },
});
const [ALICE, BOB] = ['alice', 'bob'].map((subject) => ({ issuer: 'https://idp.test', subject }));

function reachable(...authorities: object[]): number {
  const specs = authorities.map((authority, index) => ({ name: `a${index}`, ...authority }));
  return countReachable(specs, compile({ authorities: specs }).authorities);
}

describe('countReachable()', () => {
  for (const [what, authorities, expected] of [
    ['two keys', [keyed(ONE), keyed(TWO)], 2],
    ['one key twice', [keyed(ONE), keyed(ONE)], 1],
    ['a key that another authority can do without', [keyed(ONE, TWO), keyed(ONE)], 2],
    ['three keys, each in two authorities', [keyed(ONE, TWO), keyed(ONE, THREE), keyed(TWO, THREE)], 3],
    ['two keys in three authorities', [keyed(ONE, TWO), keyed(ONE), keyed(TWO)], 2],
    ['two identities', [keyless(ALICE ?? {}), keyless(BOB ?? {})], 2],
    ['one identity twice', [keyless(ALICE ?? {}), keyless(ALICE ?? {})], 1],
    ['one identity under two TrustRoots', [keyless(ALICE ?? {}), keyless(ALICE ?? {}, 'other')], 2],
    ['issuers of any name', [1, 2].map(() => keyless({ issuerRegExp: '.*', subject: 'alice' })), 2],
    [
      'subjects of any name',
      [1, 2].map(() => keyless({ issuer: 'https://idp.test', subjectRegExp: '.*' })),
      2,
    ],
    ['authorities of other kinds', [{ tenant: {} }, keyed(ONE), keyed(ONE)], 2],
  ] as const)
    it(`counts ${expected} of ${what}`, () => assert.equal(reachable(...authorities), expected));
});
