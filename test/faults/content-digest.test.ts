// Is what is judged what was asked for, whatever a registry says on the way? Faults 1, 2, 3 and 5.
import assert from 'node:assert/strict';
import { attachBundle } from '../../src/demo/artifacts.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { attachSimpleSignatures } from '../../src/demo/signature-tag.ts';
import { signSimple, simpleSigningPayload } from '../../src/demo/simple-signing.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';
import {
  pushModel,
  pushSigned,
  startController,
  TEAM_KEY,
  teamPolicy,
  type Controller,
} from '../support/controller.ts';
import { expectAllowed, expectDenied, recordOf, sumOf } from '../support/expect.ts';
import { podOf, reviewOf, toVolumes, volumePod } from '../support/review.ts';

const TAG = 'v1';
const LIE = Buffer.from('{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}');

describe('faults of content: digests', () => {
  let registry: RegistryHandle;
  let controller: Controller;

  beforeEach(async () => {
    registry = await startRegistry();
    const policies = { team: teamPolicy(registry, { digest: 'Resolve' }) };
    controller = await startController({ registry, policies });
  });
  afterEach(async () => {
    await controller.stop();
    await registry.close();
  });

  const tagged = ({ repository }: { repository: string }): string =>
    `${registry.address}/${repository}:${TAG}`;

  it('1: a tag that means another digest at the second look is looked at once, and the verdict names the first', async () => {
    const signed = pushSigned(registry, TAG);
    let lookUps = 0;
    registry.setFault(({ path }) => {
      if (!path.endsWith(`/manifests/${TAG}`)) return undefined;
      lookUps += 1;
      return lookUps === 1 ? undefined : { body: LIE };
    });
    const reference = tagged(signed);
    const pod = podOf({
      volumes: toVolumes([reference, reference]),
      containers: [{ name: 'c', image: reference }],
    });
    const answer = await expectAllowed(controller, reviewOf(pod));
    assert.equal(lookUps, 1);
    assert.equal(answer.annotations['modelpolicy.dev/digests'], signed.digest);
    const { references } = recordOf(controller, answer);
    assert.deepEqual([...new Set(references.map(({ digest }) => digest))], [signed.digest]);
  });

  it('1: a tag that first means an unsigned digest is denied, although it would mean a signed one next', async () => {
    const unsigned = pushModel(registry, TAG);
    const signed = pushSigned(registry);
    let lookUps = 0;
    registry.setFault(({ path }) => {
      if (!path.endsWith(`/manifests/${TAG}`)) return undefined;
      lookUps += 1;
      return lookUps === 1 ? undefined : { body: signed.manifest };
    });
    const answer = await expectDenied(controller, reviewOf(volumePod(tagged(unsigned))), {
      code: 403,
      reasons: ['SignatureMissing'],
    });
    assert.equal(lookUps, 1);
    assert.deepEqual(
      recordOf(controller, answer).references.map(({ digest }) => digest),
      [unsigned.digest],
    );
  });

  it('2: bytes that do not hash to the digest are denied, and nothing of them is remembered', async () => {
    const signed = pushSigned(registry);
    registry.setFault(({ path }) =>
      path.endsWith(`/manifests/${signed.digest}`) ? { body: LIE } : undefined,
    );
    const { message } = await expectDenied(controller, reviewOf(volumePod(signed.reference)), {
      code: 503,
      reasons: ['DigestMismatch'],
    });
    assert.ok(message.includes(registry.address));
    registry.setFault(undefined);
    await expectAllowed(controller, reviewOf(volumePod(signed.reference)));
  });

  it('2: a Docker-Content-Digest that the bytes contradict is denied, by digest and by tag, and never believed', async () => {
    const [signed, other] = [pushSigned(registry), pushModel(registry, TAG)];
    const header = { 'docker-content-digest': signed.digest };
    registry.setFault(({ path }) =>
      path.includes(`/${other.repository}/manifests/`) ? { headers: header } : undefined,
    );
    for (const reference of [other.reference, tagged(other)])
      await expectDenied(controller, reviewOf(volumePod(reference)), {
        code: 503,
        reasons: ['DigestMismatch'],
      });
  });

  it('2: a signature whose bytes are not those of its digest is no signature, and no missing one either', async () => {
    const signed = pushSigned(registry);
    registry.setFault(({ path }) => (path.includes('/blobs/') ? { body: '{}' } : undefined));
    await expectDenied(controller, reviewOf(volumePod(signed.reference)), {
      code: 503,
      reasons: ['DigestMismatch'],
    });
  });

  it('3: a tag that is pushed again has its new verdict within seconds, and the old digest keeps its own', async () => {
    const signed = pushSigned(registry, TAG);
    const reference = tagged(signed);
    await expectAllowed(controller, reviewOf(volumePod(reference)));
    const next = registry.putManifest(
      signed.repository,
      Buffer.from(signed.manifest.toString().replace('2026-01-01', '2026-01-02')),
      signed.mediaType,
      TAG,
    );
    assert.notEqual(next, signed.digest);
    let answer = await controller.ask(reviewOf(volumePod(reference)));
    while (answer.allowed) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      answer = await controller.ask(reviewOf(volumePod(reference)));
    }
    assert.deepEqual(answer.reasons, ['SignatureMissing']);
    assert.equal(answer.annotations['modelpolicy.dev/digests'], next);
    await expectAllowed(controller, reviewOf(volumePod(signed.reference)));
    const metrics = await controller.metrics();
    assert.ok(sumOf(metrics, 'model_policy_cache_lookups_total', { cache: 'tags', result: 'miss' }) >= 2);
  });

  const theirs = (digest: string): object => signBundleWithKey(cosignSignStatement(digest), TEAM_KEY);

  it('5: a signature of another model that a referrer claims is for this one is denied', async () => {
    const [mine, other] = [pushModel(registry), pushModel(registry)];
    attachBundle(registry, mine, theirs(other.digest));
    await expectDenied(controller, reviewOf(volumePod(mine.reference)), {
      code: 403,
      reasons: ['SubjectMismatch'],
    });
  });

  it('5: a referrer of another model that a listing puts here is denied, although its signature is of this one', async () => {
    const old = await startRegistry({ referrersApi: false });
    const policies = { team: teamPolicy(old) };
    const judge = await startController({ registry: old, policies });
    try {
      const [mine, other] = [pushModel(old), pushModel(old)];
      const referrer = attachBundle(old, { ...mine, digest: other.digest }, theirs(mine.digest));
      const listed = old.requests.length;
      const index = {
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.index.v1+json',
        manifests: [{ mediaType: mine.mediaType, digest: referrer, size: 1 }],
      };
      const bytes = Buffer.from(JSON.stringify(index));
      old.putManifest(mine.repository, bytes, index.mediaType, mine.digest.replace(':', '-'));
      await expectDenied(judge, reviewOf(volumePod(mine.reference)), {
        code: 403,
        reasons: ['SubjectMismatch'],
      });
      assert.ok(old.requests.length > listed);
    } finally {
      await judge.stop();
      await old.close();
    }
  });

  it('5: a signature of another model under the tag of this one is denied', async () => {
    const [mine, other] = [pushModel(registry), pushModel(registry)];
    attachSimpleSignatures(registry, mine, [signSimple(simpleSigningPayload(other.digest), TEAM_KEY)]);
    await expectDenied(controller, reviewOf(volumePod(mine.reference)), {
      code: 403,
      reasons: ['SubjectMismatch'],
    });
  });
});
