// With the provenance that GitHub's attestation action writes, and with provenance that says or proves something else.
import { attachBundle } from '../../../src/demo/artifacts.ts';
import { createSigstore, type Identity, type Sigstore } from '../../../src/demo/sigstore.ts';
import { attestationStatement } from '../../../src/demo/statement.ts';
import { trustRoot, type PolicyMaterial, type RecorderKit } from '../recorder.ts';
import { packPlain, RELEASE_WORKFLOW, signAs, SIGNED_AT } from './models.ts';

const PROVENANCE = 'https://slsa.dev/provenance/v1';
const REPOSITORY = 'https://github.com/acme/models';
const REF = 'refs/tags/v1.4.0';
const COMMIT = RELEASE_WORKFLOW.claims?.['sourceRepositoryDigest'] ?? '';

interface Claims {
  readonly repository?: string;
  readonly commit?: string;
  readonly builder?: string;
  readonly buildType?: string;
}

/** Material of policies/slsa-provenance. */
export const SLSA_PROVENANCE: PolicyMaterial = {
  policy: 'slsa-provenance',
  make: async (kit) => {
    const sigstore = await createSigstore();
    const attest = (name: string, claims: Claims, identity: Identity = RELEASE_WORKFLOW): Promise<void> =>
      attestAs(kit, name, { claims, identity, sigstore });
    await attest('built-by-release', {});
    await attest('other-repository', { repository: 'https://github.com/acme/experiments' });
    await attest('other-commit', { commit: '0'.repeat(40) });
    await attest('other-builder', { builder: `${REPOSITORY}/.github/workflows/test.yaml@${REF}` });
    await attest('other-build-type', { buildType: 'https://models.acme.example/by-hand/v1' });
    const { claims = {} } = RELEASE_WORKFLOW;
    for (const [name, changed] of Object.entries({
      'taken-over-name': { sourceRepositoryIdentifier: '987654321' },
      'other-owner': { sourceRepositoryOwnerIdentifier: '7654321' },
      'self-hosted': { runnerEnvironment: 'self-hosted' },
    }))
      await attest(name, {}, { ...RELEASE_WORKFLOW, claims: { ...claims, ...changed } });
    const subject = RELEASE_WORKFLOW.subject.replace('release.yaml', 'test.yaml');
    await attest('other-signer', {}, { ...RELEASE_WORKFLOW, subject });
    await signAs(kit, packPlain(kit, 'signed-only'), { sigstore, identity: RELEASE_WORKFLOW });
    return [trustRoot('public-good', sigstore.trustedRootJson())];
  },
};

async function attestAs(
  kit: RecorderKit,
  name: string,
  { claims, identity, sigstore }: { claims: Claims; identity: Identity; sigstore: Sigstore },
): Promise<void> {
  const model = packPlain(kit, name);
  const statement = attestationStatement(model.digest, PROVENANCE, toPredicate(claims));
  attachBundle(kit.registry, model, await sigstore.signKeyless(statement, identity, { at: SIGNED_AT }));
}

function toPredicate({
  repository = REPOSITORY,
  commit = COMMIT,
  builder = RELEASE_WORKFLOW.subject,
  buildType = 'https://actions.github.io/buildtypes/workflow/v1',
}: Claims): object {
  return {
    buildDefinition: {
      buildType,
      externalParameters: { workflow: { ref: REF, repository, path: '.github/workflows/release.yaml' } },
      internalParameters: { github: { event_name: 'push', runner_environment: 'github-hosted' } },
      resolvedDependencies: [{ uri: `git+${repository}@${REF}`, digest: { gitCommit: commit } }],
    },
    runDetails: {
      builder: { id: builder },
      metadata: { invocationId: `${repository}/actions/runs/1/attempts/1` },
    },
  };
}
