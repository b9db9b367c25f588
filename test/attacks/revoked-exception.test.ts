// Can an exception admit what was revoked? Its signatures are left at home, or drowned in junk of other kinds.
import assert from 'node:assert/strict';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { createSigstore, type Sigstore } from '../../src/demo/sigstore.ts';
import { pickVaried } from '../../src/verdict/limits.ts';
import { EXCEPTABLE_REASONS } from '../../src/verdict/exceptions.ts';
import { pushModel, startController, type Answer } from '../support/controller.ts';
import { pinned, policyOf, TRUST_ROOT } from '../support/keyless.ts';
import { reviewOf, volumePod } from '../support/review.ts';

describe('a revoked model under an exception', () => {
  let registry: RegistryHandle;
  let sigstore: Sigstore;
  before(async () => {
    registry = await startRegistry();
    sigstore = await createSigstore();
  });
  after(() => registry.close());

  async function ask(reference: string, revoked: string): Promise<Answer> {
    const controller = await startController({
      registry,
      policies: {
        team: policyOf(registry, undefined, {
          models: [{ glob: `${registry.address}/**` }, { glob: '127.0.0.1:1/**' }],
        }),
      },
      trustRoots: {
        [TRUST_ROOT]: pinned(sigstore.trustedRootJson(), {
          revoked: [{ artifactDigest: revoked, reason: 'stolen' }],
        }),
      },
      exceptions: [
        {
          name: 'vendor',
          spec: {
            policies: ['team'],
            namespaces: ['default'],
            models: [reference],
            reason: 'not signed yet',
            requestedBy: 'jane@acme.example',
            expiresAt: '2099-01-01T00:00:00Z',
          },
        },
      ],
    });
    const answer = await controller.ask(reviewOf(volumePod(reference)));
    await controller.stop();
    return answer;
  }

  it('stays out without any signature that could be asked about it', async () => {
    const { reference, digest } = pushModel(registry);
    assert.equal((await ask(reference, `sha256:${'0'.repeat(64)}`)).allowed, true);
    assert.equal((await ask(reference, digest)).allowed, false);
  });

  it('stays out where its registry does not answer', async () => {
    const digest = `sha256:${'1'.repeat(64)}`;
    const reference = `127.0.0.1:1/team/model@${digest}`;
    assert.equal((await ask(reference, `sha256:${'0'.repeat(64)}`)).allowed, true);
    assert.equal((await ask(reference, digest)).allowed, false);
  });

  it('is told among failures of every other kind', () => {
    const reasons = [...EXCEPTABLE_REASONS, 'Revoked' as const, ...EXCEPTABLE_REASONS];
    const shown = pickVaried(reasons.map((reason) => ({ reason })));
    assert.ok(shown.some(({ reason }) => reason === 'Revoked'));
  });
});
