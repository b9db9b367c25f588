// What was tried to hold up everybody with what one namespace may write: policies that are costly to compile or to compare,
// pods that are costly to judge. Each case is an attack that worked once; what is asserted is the bound, never a time.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { attachBundle } from '../../src/demo/artifacts.ts';
import { issueCertificate } from '../../src/demo/certificate-authority.ts';
import { certificatePem } from '../../src/demo/certificate.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';
import { MAX_MODEL_POLICIES } from '../../src/policy/tenant-limits.ts';
import { alternativeNames, createPki, leafExtensions, signWith, type Name } from '../signature/pki.ts';
import {
  pushModel,
  pushSigned,
  startController,
  teamPolicy,
  type Controller,
  type ControllerOptions,
} from '../support/controller.ts';
import { imagePod, reviewOf, volumePod } from '../support/review.ts';

const TENANT = generateSigningKey('p256');
const OWN = { authorities: [{ name: 'own', key: { pem: TENANT.publicKeyPem } }] };

const KIND = { group: 'modelpolicy.dev', version: 'v1alpha1', kind: 'ModelPolicy' };
const toObject = (spec: object): object => ({
  apiVersion: 'modelpolicy.dev/v1alpha1',
  kind: 'ModelPolicy',
  metadata: { name: 'own', namespace: 'default' },
  spec,
});

describe('attacks of a tenant on what everybody shares', () => {
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

  async function start(options: ControllerOptions): Promise<Controller> {
    controller = await startController({ registry, ...options });
    return controller;
  }

  describe('on the processor', () => {
    const globs = (count: number): object => ({
      ...OWN,
      models: [{ glob: 'r.test/**', exclude: Array.from({ length: count - 1 }, (_, n) => `r.test/m${n}`) }],
    });
    const rule = (size: number): object => ({ expression: `true || '${'x'.repeat(size - 10)}' == ''` });
    const rules = (chars: number): object => ({
      ...OWN,
      validations: [rule(chars / 2), { expression: 'true', messageExpression: `'${'x'.repeat(100)}'` }],
      variables: [{ name: 'v', ...rule(chars / 2 - 4) }],
    });
    const patterns = (instructions: number): object => ({
      ...OWN,
      validations: Array.from({ length: 50 }, (_, n) => ({
        expression: `model.format.matches('a{${instructions / 50 - 10}}${n + 100}|')`,
      })),
    });
    const keys = (authorities: number, blocks: number): object => ({
      authorities: Array.from({ length: authorities }, (_, n) => ({
        name: `own-${n}`,
        key: { pem: TENANT.publicKeyPem.repeat(blocks) },
      })),
    });
    const tooMuch: readonly (readonly [string, object, object, RegExp])[] = [
      ['globs', globs(65), globs(64), /more than 128 globs together/],
      ['CEL', rules(16_600), rules(16_200), /more than 32768 characters of CEL together/],
      ['keys', keys(5, 14), keys(4, 15), /keys, certificates and patterns of these policies are too many/],
      ['patterns', patterns(2400), patterns(2000), /patterns of these policies are too large together/],
    ];
    for (const [what, most, less, message] of tooMuch)
      it(`has no more ${what} compiled for a namespace than its share, and is denied there alone`, async () => {
        const model = pushSigned(registry);
        const audit = (spec: object): Record<string, unknown> => ({ ...spec, validationActions: ['Audit'] });
        const modelPolicies = (spec: object): Record<string, Record<string, unknown>> => ({
          'default/a': audit(less),
          'default/b': audit(spec),
        });
        const within = await start({ modelPolicies: modelPolicies(less) });
        const { causes } = await within.ask(reviewOf(volumePod(model.reference)));
        assert.ok(!causes.some(({ reason }) => reason === 'PolicyInvalid'));
        await within.stop();
        const beyond = await start({ modelPolicies: { ...modelPolicies(less), 'default/b': { ...most } } });
        const answer = await beyond.ask(reviewOf(volumePod(model.reference)));
        assert.deepEqual(answer.reasons, ['PolicyInvalid']);
        assert.match(answer.message, message);
        const other = await beyond.ask(reviewOf(volumePod(model.reference), { namespace: 'other' }));
        assert.equal(other.allowed, true, other.message);
      });

    it('has what one policy may not have refused when it is saved, uncompiled', async () => {
      const running = await start({});
      for (const spec of [globs(129), rules(33_000), patterns(5000)]) {
        const answer = await running.askPolicy(reviewOf(toObject(spec), { kind: KIND, name: 'own' }));
        assert.equal(answer.allowed, false);
        assert.match(answer.message, /together/);
        assert.ok(answer.causes.length <= 33, String(answer.causes.length));
      }
    });

    it('has nothing that is too much looked at when a policy is saved', async () => {
      const read = new Set<string>();
      const modelPolicies = Object.fromEntries(
        Array.from({ length: 100 }, (_, n): [string, Record<string, unknown>] => {
          const name = `default/p${String(n).padStart(3, '0')}`;
          const models = [{ glob: 'r.test/**' }];
          return [name, Object.defineProperty({ ...OWN }, 'models', { get: () => (read.add(name), models) })];
        }),
      );
      const running = await start({ modelPolicies });
      const spec = { ...OWN, models: [{ glob: 'other.test/**' }], validationActions: ['Audit'] };
      const answer = await running.askPolicy(reviewOf(toObject(spec), { kind: KIND, name: 'own' }));
      assert.equal(answer.allowed, true, answer.message);
      assert.equal(read.size, MAX_MODEL_POLICIES);
    });

    it('compares no more images with globs than a pod can sensibly have', async () => {
      const images = (count: number): object =>
        reviewOf(imagePod(...Array.from({ length: count }, (_, n) => `r.test/m${n}:1`)));
      const running = await start({});
      assert.equal((await running.ask(images(512))).allowed, true);
      const crowd = await running.ask(images(513));
      assert.deepEqual([crowd.allowed, crowd.reasons], [false, ['TooManyReferences']]);
      // Where no policy asks about images, nobody counts them.
      running.setPolicies({ team: { authorities: OWN.authorities } });
      assert.equal((await running.ask(images(513))).allowed, true);
    });

    // RE2 needs a new state for almost every character of such a text: some 20 ms for each.
    const MAZE = '(?:.*a.{1,20}b){10}[^ab]';
    const mazeText = (seed: number): string =>
      createHash('shake256', { outputLength: 500 })
        .update(String(seed))
        .digest()
        .reduce((text, byte) => text + 'ab'[byte & 1], '');

    it('has the time for comparing signers with patterns bounded, and told', async () => {
      const pki = createPki();
      const key = generateSigningKey('p256');
      const names = Array.from({ length: 60 }, (_, n): Name => [6, mazeText(n)]);
      const extensions = leafExtensions([alternativeNames(...names)]);
      const leaf = issueCertificate(pki.root, { publicKey: key.publicKey, extensions });
      const model = pushSigned(registry);
      attachBundle(registry, model, signWith(key, [leaf], cosignSignStatement(model.digest)));
      const own = {
        authorities: Array.from({ length: 8 }, (_, n) => ({
          name: `pki-${n}`,
          certificate: {
            roots: { pem: certificatePem(pki.root.certificate) },
            identities: [{ subjectURIRegExp: `${MAZE}${n}` }],
          },
        })),
      };
      const running = await start({ modelPolicies: { 'default/own': own } });
      const answer = await running.ask(reviewOf(volumePod(model.reference)));
      assert.equal(answer.allowed, false);
      assert.match(answer.message, /IdentityMismatch: .*there was no time to compare its signer/);
      assert.ok(answer.causes.every(({ message }) => message.includes('policy default/own')));
      const other = await running.ask(reviewOf(volumePod(model.reference), { namespace: 'other' }));
      assert.equal(other.allowed, true, other.message);
    });

    it('tries no pattern on names that are longer than any signer has', async () => {
      const pki = createPki();
      const sign = (length: number): string => {
        const key = generateSigningKey('p256');
        const extensions = leafExtensions([alternativeNames([6, 'a'.repeat(length)])]);
        const leaf = issueCertificate(pki.root, { publicKey: key.publicKey, extensions });
        const model = pushModel(registry);
        attachBundle(registry, model, signWith(key, [leaf], cosignSignStatement(model.digest)));
        return model.reference;
      };
      const certificate = {
        roots: { pem: certificatePem(pki.root.certificate) },
        identities: [{ subjectURIRegExp: 'a*' }],
      };
      const policies = { team: teamPolicy(registry, { authorities: [{ name: 'pki', certificate }] }) };
      const running = await start({ policies });
      const good = await running.ask(reviewOf(volumePod(sign(1024))));
      assert.equal(good.allowed, true, good.message);
      const long = await running.ask(reviewOf(volumePod(sign(1025))));
      assert.deepEqual(long.reasons, ['IdentityMismatch']);
    });

    it('has rules stopped by the time where a pattern takes longer than it costs', async () => {
      const model = pushSigned(registry, undefined, TENANT);
      const names = Array.from({ length: 60 }, (_, n) => `t${n}`);
      // 60 matches cost 65,000 units, which is within the budget, and seconds.
      const expression = `!${JSON.stringify(names)}.exists(t, pod.metadata.annotations[t].matches('${MAZE}'))`;
      const annotations = Object.fromEntries(names.map((name, n) => [name, mazeText(n)]));
      const pod = volumePod(model.reference);
      const running = await start({
        policies: { any: { authorities: [{ name: 'any', static: { action: 'Pass' } }] } },
        modelPolicies: { 'default/own': { ...OWN, validations: [{ expression }] } },
      });
      const review = reviewOf({ ...pod, metadata: { name: 'pod', namespace: 'default', annotations } });
      const answer = await running.ask(review);
      assert.deepEqual([answer.allowed, answer.reasons], [false, ['RuleFailed']]);
      assert.match(answer.message, /the rules of the namespace's policies took more than 100 ms/);
    });
  });
});
