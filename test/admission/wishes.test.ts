// Is every repository asked once, for what somebody wants there, and the model's own only where somebody looks there?
import assert from 'node:assert/strict';
import { mergeWishes, openOnce, toWish } from '../../src/admission/wishes.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import type { EvidenceWish } from '../../src/evidence/signature-repository.ts';
import type { CompiledPolicy } from '../../src/policy/compiled.ts';
import type { RegistryClient } from '../../src/registry/client.ts';
import { compile } from '../verdict/support.ts';

const KEY = { pem: generateSigningKey('p256').publicKeyPem };
const ATTESTED = { attestations: [{ name: 'note', predicateTypes: ['https://acme.example/note'] }] };
const at = (name: string): string => `registry.example.com/${name}`;
const CLIENT = {} as RegistryClient;

/** A policy with an authority for each repository; `''` is the model's own. */
function policyOf(repositories: readonly string[], more: object = {}): CompiledPolicy {
  const policy = compile({
    authorities: repositories.map((name, index) => ({
      name: `a${index}`,
      key: KEY,
      ...(name !== '' && { signatureRepository: { repository: at(name) } }),
    })),
    ...more,
  });
  assert.deepEqual(policy.problems, []);
  return policy;
}
const summaryOf = ({ wantsOwn, wantsAttestations, elsewhere }: EvidenceWish): unknown => [
  wantsOwn,
  wantsAttestations,
  elsewhere.map((one) => [one.repository.id, one.wantsAttestations]),
];
const wishOf = (...policies: readonly CompiledPolicy[]): unknown => summaryOf(toWish(policies, () => CLIENT));

describe('toWish()', () => {
  it('looks beside the model for whoever names nothing, and for nobody else', () => {
    assert.deepEqual(wishOf(policyOf([''])), [true, false, []]);
    assert.deepEqual(wishOf(policyOf(['x'])), [false, false, [[at('x'), false]]]);
    assert.deepEqual(wishOf(policyOf(['', 'x'])), [true, false, [[at('x'), false]]]);
    assert.deepEqual(wishOf(), [false, false, []]);
    assert.deepEqual(wishOf(compile({ authorities: [{ name: 's', static: { action: 'Pass' } }] })), [
      false,
      false,
      [],
    ]);
  });

  it('looks in each repository once, for attestations where one of its policies demands them', () => {
    const plain = policyOf(['x', 'y', 'x']);
    assert.deepEqual(wishOf(plain, policyOf(['x'], ATTESTED)), [
      false,
      false,
      [
        [at('x'), true],
        [at('y'), false],
      ],
    ]);
    assert.deepEqual(wishOf(policyOf([''], ATTESTED), plain), [
      true,
      true,
      [
        [at('x'), false],
        [at('y'), false],
      ],
    ]);
  });
});

describe('mergeWishes()', () => {
  it('wants what any of them wants, in any order', () => {
    const open = (): RegistryClient => CLIENT;
    const wishes = [toWish([policyOf(['x'], ATTESTED)], open), toWish([policyOf(['', 'x'])], open)];
    const merged = [true, false, [[at('x'), true]]];
    assert.deepEqual(summaryOf(mergeWishes(wishes)), merged);
    assert.deepEqual(summaryOf(mergeWishes(wishes.toReversed())), merged);
  });
});

describe('openOnce()', () => {
  it('opens one client for a repository, and another for another', () => {
    const opened: string[] = [];
    const open = openOnce(({ id }) => {
      opened.push(id);
      return { ...CLIENT };
    });
    toWish([policyOf(['x', 'y']), policyOf(['x'])], open);
    assert.deepEqual(opened, [at('x'), at('y')]);
  });
});
