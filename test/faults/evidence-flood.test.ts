// Can a crowd of referrers hide a signature, hold the service up, or admit? Fault 17.
import assert from 'node:assert/strict';
import { attachBundle, type PackedModel } from '../../src/demo/artifacts.ts';
import { generateSigningKey, type SigningKey } from '../../src/demo/keys.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';
import { MAX_REFERRER_PAGES, MAX_REFERRERS } from '../../src/registry/referrers.ts';
import { pushModel, requestsOf, startController, TEAM_KEY, type Controller } from '../support/controller.ts';
import { expectAllowed, expectDenied } from '../support/expect.ts';
import { reviewOf, volumePod } from '../support/review.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const STRANGER = generateSigningKey('p256');
const TOO_MANY = { code: 403, reasons: ['TooManySignatures'] } as const;

describe('faults of evidence: floods of referrers', () => {
  let registry: RegistryHandle;
  let controller: Controller;
  let model: PackedModel;

  beforeEach(async () => {
    registry = await startRegistry();
    controller = await startController({ registry });
    model = pushModel(registry);
  });
  afterEach(async () => {
    await controller.stop();
    await registry.close();
  });

  // A comment of its own makes each bundle another one.
  const sign = (key: SigningKey, count = 1): void => {
    for (let number = 0; number < count; number += 1) {
      const bundle = signBundleWithKey(cosignSignStatement(model.digest), key);
      attachBundle(registry, model, bundle, { annotations: { number: String(number) } });
    }
  };
  const pod = (): object => reviewOf(volumePod(model.reference));
  const listings = (): number =>
    requestsOf(registry, model).filter(({ path }) => path.includes('/referrers/')).length;
  const entry = (number: number): object => ({
    mediaType: model.mediaType,
    digest: `sha256:${number.toString(16).padStart(64, '0')}`,
    size: 100,
  });
  const page = (manifests: readonly object[]): string =>
    JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests });

  it('17: one good signature behind 49 bad ones is found', async () => {
    sign(STRANGER, 49);
    sign(TEAM_KEY);
    await expectAllowed(controller, pod());
  });

  it(`17: one good signature behind ${MAX_REFERRERS} bad ones is not read, and said so`, async () => {
    sign(STRANGER, MAX_REFERRERS);
    sign(TEAM_KEY);
    await expectDenied(controller, pod(), {
      code: 403,
      reasons: ['SignerNotTrusted', 'TooManySignatures'],
    });
  });

  it(`17: one good signature before ever so many bad ones admits`, async () => {
    sign(TEAM_KEY);
    sign(STRANGER, MAX_REFERRERS);
    await expectAllowed(controller, pod());
  });

  it('17: ten thousand referrers cost no more than the first of them', async () => {
    registry.setFault(({ path }) =>
      path.includes('/referrers/')
        ? { body: page(Array.from({ length: 10_000 }, (_, number) => entry(number))) }
        : undefined,
    );
    const { reasons } = await controller.ask(pod());
    assert.ok(reasons.includes('TooManySignatures'), reasons.join());
    assert.ok(requestsOf(registry, model).length <= MAX_REFERRERS + 3);
  });

  const links: readonly (readonly [string, (count: number) => string])[] = [
    ['never end', (count) => `<?last=${count}>; rel="next"`],
    ['go in a circle', () => '<?last=1>; rel="next"'],
  ];
  for (const [what, link] of links) {
    it(`17: pages that ${what} end at the cap`, async () => {
      let count = 0;
      registry.setFault(({ path }) => {
        if (!path.includes('/referrers/')) return undefined;
        count += 1;
        return { headers: { link: link(count) }, body: page([]) };
      });
      await expectDenied(controller, pod(), TOO_MANY);
      assert.equal(listings(), MAX_REFERRER_PAGES);
    });
  }

  it('17: pages that lead to another host are not followed', async () => {
    registry.setFault(({ path }) =>
      path.includes('/referrers/') ? { headers: { link: '<https://evil.test/x>; rel="next"' } } : undefined,
    );
    await expectDenied(controller, pod(), { code: 403, reasons: ['ManifestInvalid'] });
    assert.equal(listings(), 1);
  });

  it('17: pages that come slowly end with the request', async () => {
    let count = 0;
    registry.setFault(({ path }) => {
      if (!path.includes('/referrers/')) return undefined;
      count += 1;
      return { delayMs: 300, headers: { link: `<?last=${count}>; rel="next"` }, body: page([]) };
    });
    await expectDenied(
      controller,
      pod(),
      { code: 503, reasons: ['DeadlineExceeded'] },
      { path: '/validate?timeout=1s' },
    );
  });
});
