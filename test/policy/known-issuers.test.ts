// Are the issuers that an instance certifies known by their name and by their pattern, and no look-alike?
import assert from 'node:assert/strict';
import { findKnownIssuers } from '../../src/policy/known-issuers.ts';

const GITHUB = 'https://token.actions.githubusercontent.com';

describe('findKnownIssuers()', () => {
  const [good, github] = [{ sigstorePublicGood: {} }, { github: {} }].map(findKnownIssuers);

  it('knows nothing about other sources', () => assert.equal(findKnownIssuers({ tuf: {} }), undefined));

  for (const [issuer, byGood, byGithub] of [
    [GITHUB, true, true],
    [`${GITHUB}/acme`, true, true],
    [`${GITHUB}/acme/b`, true, false],
    ['https://gitlab.com', true, false],
    ['https://token.actions.acme.ghe.com', false, true],
    ['https://login.acme.example', false, false],
  ] as const)
    it(`says who takes ${issuer}`, () =>
      assert.deepEqual([good?.takes(issuer), github?.takes(issuer)], [byGood, byGithub]));
});
