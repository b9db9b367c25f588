// Signed by the release workflow, and by workflows that only look like it. A Sigstore of the kit stands in for the
// public-good instance, under the same name.
import { createSigstore, type Identity } from '../../../src/demo/sigstore.ts';
import { trustRoot, type PolicyMaterial } from '../recorder.ts';
import { packPlain, RELEASE_WORKFLOW, signAs } from './models.ts';

const { claims = {}, subject } = RELEASE_WORKFLOW;
const OTHERS: Readonly<Record<string, Identity>> = {
  branch: { ...RELEASE_WORKFLOW, subject: subject.replace('refs/tags/v1.4.0', 'refs/heads/main') },
  'other-workflow': { ...RELEASE_WORKFLOW, subject: subject.replace('release.yaml', 'test.yaml') },
  'taken-over-name': { ...RELEASE_WORKFLOW, claims: { ...claims, sourceRepositoryIdentifier: '987654321' } },
  'other-owner': { ...RELEASE_WORKFLOW, claims: { ...claims, sourceRepositoryOwnerIdentifier: '7654321' } },
  'self-hosted': { ...RELEASE_WORKFLOW, claims: { ...claims, runnerEnvironment: 'self-hosted' } },
};

/** Material of policies/github-workflow. */
export const GITHUB_WORKFLOW: PolicyMaterial = {
  policy: 'github-workflow',
  make: async (kit) => {
    const [sigstore, stranger] = [await createSigstore(), await createSigstore()];
    await signAs(kit, packPlain(kit, 'released'), { sigstore, identity: RELEASE_WORKFLOW });
    for (const [name, identity] of Object.entries(OTHERS))
      await signAs(kit, packPlain(kit, name), { sigstore, identity });
    await signAs(kit, packPlain(kit, 'other-sigstore'), { sigstore: stranger, identity: RELEASE_WORKFLOW });
    packPlain(kit, 'unsigned');
    return [trustRoot('public-good', sigstore.trustedRootJson())];
  },
};
