// Does the example of docs/test-kit.md run? It stands here between the two marks, and the document is held to it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSigstore } from '../../src/demo/sigstore.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';
import { ROOT } from '../meta/source-files.ts';
import { ALICE, DIGEST, keylessAuthority, outcome } from '../signature/support.ts';

describe('docs/test-kit.md', () => {
  it('has an example that runs', async () => {
    // begin
    const sigstore = await createSigstore({ rekor: 'v2' });
    const statement = cosignSignStatement(DIGEST);
    const authority = keylessAuthority(sigstore.trustedRootJson());

    const good = await sigstore.signKeyless(statement, ALICE);
    assert.equal(outcome(good, authority), 'accepted');

    const expired = await sigstore.signKeyless(statement, ALICE, {
      certificate: { notBefore: new Date('2021-01-01'), notAfter: new Date('2021-01-02') },
    });
    assert.equal(outcome(expired, authority), 'CertificateInvalid');

    const unlogged = await sigstore.signKeyless(statement, ALICE, { omitLogEntry: true });
    assert.equal(outcome(unlogged, authority), 'TransparencyLogInvalid');

    const stranger = await createSigstore();
    assert.equal(outcome(await stranger.signKeyless(statement, ALICE), authority), 'TransparencyLogInvalid');
    // end
  });

  it('shows that example', () => {
    const here = readFileSync(join(ROOT, 'test/demo/test-kit.test.ts'), 'utf8');
    const [, example = ''] = /^ {4}\/\/ begin\n([^]*?)^ {4}\/\/ end$/m.exec(here) ?? [];
    const shown = /^```ts\n([^]*?)^```$/m.exec(readFileSync(join(ROOT, 'docs/test-kit.md'), 'utf8'))?.[1];
    assert.equal(shown, example.replaceAll(/^ {4}/gm, ''));
  });
});
