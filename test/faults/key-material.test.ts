// Does a key count as long as it stands where a policy looks for it, and no longer (fault 20)? Does what is missing, empty or
// broken deny what the policy selects, and nothing else (21)?
import assert from 'node:assert/strict';
import type { PackedModel } from '../../src/demo/artifacts.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import {
  pushSigned,
  startController,
  TEAM_KEY,
  teamPolicy,
  type Controller,
  type Policies,
} from '../support/controller.ts';
import { expectAllowed, expectDenied } from '../support/expect.ts';
import { reviewOf, volumePod } from '../support/review.ts';

const NEXT_KEY = generateSigningKey('p256');
const [OLD, NEW] = [TEAM_KEY.publicKeyPem, NEXT_KEY.publicKeyPem];
const KEY_NAME = 'cosign.pub';

type Material = Record<string, Readonly<Record<string, string>>>;

/** Where a policy has its key from: how it names it, and the objects that then hold it. */
interface Place {
  readonly toKey: (pem: string) => object;
  readonly toMaterial: (pem: string) => Material;
}

const byObject = (kind: 'Secret' | 'ConfigMap', field: string): Place => ({
  toKey: () => ({ [field]: { name: 'signer', key: KEY_NAME } }),
  toMaterial: (pem) => ({ [`${kind}/model-policy-system/signer`]: { [KEY_NAME]: pem } }),
});
const PLACES: Readonly<Record<string, Place>> = {
  inline: { toKey: (pem) => ({ pem }), toMaterial: () => ({}) },
  'in a Secret': byObject('Secret', 'secretKeyRef'),
  'in a ConfigMap': byObject('ConfigMap', 'configMapKeyRef'),
};

// Anew each time: a request is asked about once.
function toReview({ reference }: PackedModel): () => object {
  return () => reviewOf(volumePod(reference));
}

describe('key material', () => {
  let registry: RegistryHandle;
  let controller: Controller | undefined;

  before(async () => {
    registry = await startRegistry();
  });
  after(() => registry.close());
  afterEach(async () => {
    await controller?.stop();
    controller = undefined;
  });

  /** Starts with a place and its key; returns how to go on with another one. */
  async function start(
    place: Place,
    pem: string,
  ): Promise<{ running: Controller; change: (pem: string, material?: Material) => void }> {
    const toPolicies = (text: string): Policies => ({
      team: teamPolicy(registry, { authorities: [{ name: 'signer', key: place.toKey(text) }] }),
    });
    const material = place.toMaterial(pem);
    const running = await startController({ registry, policies: toPolicies(pem), material });
    controller = running;
    return {
      running,
      change(next, objects = place.toMaterial(next)) {
        for (const name of Object.keys(material)) delete material[name];
        Object.assign(material, objects);
        running.setPolicies(toPolicies(next));
      },
    };
  }

  for (const [where, place] of Object.entries(PLACES))
    it(`20: stops counting at once when it was replaced ${where}, and both count while both are there`, async () => {
      const [old, next] = [TEAM_KEY, NEXT_KEY].map((key) => toReview(pushSigned(registry, undefined, key)));
      assert.ok(old !== undefined && next !== undefined);
      const stranger = { code: 403, reasons: ['SignerNotTrusted'] } as const;
      const { running, change } = await start(place, OLD);
      await expectAllowed(running, old());
      await expectDenied(running, next(), stranger);
      change(`${OLD}${NEW}`);
      await expectAllowed(running, old());
      await expectAllowed(running, next());
      change(NEW);
      await expectDenied(running, old(), stranger);
      await expectAllowed(running, next());
    });

  const faulty: Readonly<Record<string, [Readonly<Record<string, string>> | undefined, RegExp]>> = {
    'is gone': [undefined, /model-policy-system\/signer does not exist/],
    'lost its key': [{ other: OLD }, /has no key "cosign\.pub"/],
    'is empty': [{}, /has no key "cosign\.pub"/],
    'holds nothing under its key': [{ [KEY_NAME]: '' }, /has an empty key "cosign\.pub"/],
    'holds no PEM': [{ [KEY_NAME]: 'hunter2' }, /it holds no PEM block/],
    'holds a private key': [
      { [KEY_NAME]: TEAM_KEY.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() },
      /a PEM block is "PRIVATE KEY", not PUBLIC KEY/,
    ],
    'holds half a key': [{ [KEY_NAME]: OLD.replace(/[A-Za-z0-9+/]{40}/, '') }, /does not parse/],
  };
  for (const [what, [data, message]] of Object.entries(faulty))
    for (const kind of ['Secret', 'ConfigMap'] as const)
      it(`21: denies what the policy selects while its ${kind} ${what}, and admits again after`, async () => {
        const place = PLACES[`in a ${kind}`] as Place;
        const review = toReview(pushSigned(registry));
        const { running, change } = await start(place, OLD);
        await expectAllowed(running, review());
        change('', data === undefined ? {} : { [`${kind}/model-policy-system/signer`]: data });
        const answer = await expectDenied(running, review(), {
          code: 503,
          reasons: ['CredentialsUnavailable'],
        });
        assert.match(answer.message, message);
        for (const [, line = ''] of TEAM_KEY.privateKey
          .export({ type: 'pkcs8', format: 'pem' })
          .toString()
          .matchAll(/^([A-Za-z0-9+/=]{20,})$/gm))
          assert.ok(!answer.message.includes(line));
        assert.ok(!answer.message.includes('hunter2'));
        change(OLD);
        await expectAllowed(running, review());
      });

  it('21: denies nothing that the policy does not select', async () => {
    const lost = { authorities: [{ name: 'lost', key: { secretKeyRef: { name: 'none', key: KEY_NAME } } }] };
    controller = await startController({
      registry,
      policies: { team: teamPolicy(registry), lost: { ...lost, models: [{ glob: 'r.test/**' }] } },
    });
    await expectAllowed(controller, reviewOf(volumePod(pushSigned(registry).reference)));
    await expectDenied(controller, reviewOf(volumePod(`r.test/m@sha256:${'a'.repeat(64)}`)), {
      code: 503,
      reasons: ['CredentialsUnavailable'],
    });
  });
});
