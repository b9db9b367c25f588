// Is a proof used again only for the same question, and only while it holds?
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import {
  createFactsCache,
  type FactsObserver,
  type SecondOpinionMode,
} from '../../src/proving/facts-cache.ts';
import { parseTrustedRoot } from '../../src/trust/trusted-root.ts';
import { createWorld, DIGEST, keyAuthority, OTHER_DIGEST, STATEMENT } from '../signature/support.ts';
import { answer, createCountingExecutor, describeOutcome, KEY, NOW, toJob } from './support.ts';

const SILENT: FactsObserver = { lookedUp: () => undefined, disagreed: () => undefined };

function create(run = answer, mode: SecondOpinionMode = 'before', observer = SILENT) {
  const executor = createCountingExecutor(run);
  return { executor, facts: createFactsCache(executor, mode, observer) };
}

describe('createFactsCache()', () => {
  it('proves once for the same question, however many ask at once', async () => {
    const seen: string[] = [];
    const { executor, facts } = create(answer, 'before', {
      ...SILENT,
      lookedUp: (result) => seen.push(result),
    });
    const bundle = signBundleWithKey(STATEMENT, KEY);
    const outcomes = await Promise.all(Array.from({ length: 1000 }, () => facts(toJob(bundle), NOW, 'a')));
    assert.ok(outcomes.every(({ kind }) => kind === 'proven'));
    await facts(toJob(bundle), NOW, 'a');
    assert.equal(executor.asked.length, 1);
    assert.deepEqual([...new Set(seen)].toSorted(), ['hit', 'joined', 'miss']);
  });

  it('proves again for other bytes, subjects, layers, keys, formats and another generation of a root', async () => {
    const { executor, facts } = create();
    const bundle = signBundleWithKey(STATEMENT, KEY);
    const other = generateSigningKey('p256');
    const { authority, sigstore } = await createWorld('v2');
    const again = { ...authority, root: parseTrustedRoot(Buffer.from(sigstore.trustedRootJson())) };
    const jobs = [
      toJob(bundle),
      toJob(signBundleWithKey(STATEMENT, KEY)),
      toJob(bundle, undefined, { digest: OTHER_DIGEST }),
      toJob(bundle, undefined, { signatureLayer: DIGEST }),
      toJob(bundle, keyAuthority(other.publicKeyPem)),
      toJob(
        bundle,
        keyAuthority(KEY.publicKeyPem, { signatureFormats: new Set(['CosignBundle', 'ModelSigning']) }),
      ),
      toJob(bundle, authority),
      toJob(bundle, again),
      toJob(bundle, { ...authority, requirements: { ...authority.requirements, logEntries: 2 } }),
      toJob(bundle, {
        ...authority,
        revoked: { ...authority.revoked, artifactDigests: new Map([[DIGEST, 'stolen']]) },
      }),
    ];
    for (const job of jobs) await facts(job, NOW, 'a');
    assert.equal(executor.asked.length, jobs.length);
    for (const job of jobs) await facts(job, NOW, 'a');
    assert.equal(executor.asked.length, jobs.length);
  });

  it('shares a proof between authorities that differ in name and identities alone', async () => {
    const { authority, sign } = await createWorld('v2');
    const bundle = await sign();
    const { executor, facts } = create();
    await facts(toJob(bundle, authority), new Date(), 'a');
    await facts(toJob(bundle, { ...authority, name: 'other', identities: [] }), new Date(), 'a');
    assert.equal(executor.asked.length, 1);
  });

  it('proves again when the clock was set back before the time that was proven', async () => {
    const { authority, sign } = await createWorld('v2');
    const bundle = await sign();
    const { executor, facts } = create();
    const now = new Date();
    assert.equal(describeOutcome(await facts(toJob(bundle, authority), now, 'a')), 'proven');
    const before = new Date(now.getTime() - 3_600_000);
    assert.equal(describeOutcome(await facts(toJob(bundle, authority), before, 'a')), 'TimestampInvalid');
    assert.equal(executor.asked.length, 2);
  });

  it('remembers refusals for seconds only', async function () {
    this.timeout(20_000);
    const { executor, facts } = create();
    const job = toJob(signBundleWithKey(STATEMENT, generateSigningKey('p256')));
    assert.equal(describeOutcome(await facts(job, NOW, 'a')), 'SignerNotTrusted');
    await facts(job, NOW, 'a');
    assert.equal(executor.asked.length, 1);
    await sleep(5200);
    await facts(job, NOW, 'a');
    assert.equal(executor.asked.length, 2);
  });

  describe('when the second opinion disagrees', () => {
    const disagreeing = (): ReturnType<typeof answer> => ({
      kind: 'refused',
      problem: { reason: 'SignatureInvalid', message: 'the second opinion refuses' },
      isDisagreement: true,
    });

    it('tells the observer the evidence, and remembers nothing', async () => {
      const told: string[] = [];
      const { executor, facts } = create(disagreeing, 'before', {
        ...SILENT,
        disagreed: (evidence, message) => told.push(`${evidence} ${message}`),
      });
      const job = toJob();
      assert.equal(describeOutcome(await facts(job, NOW, 'a')), 'SignatureInvalid');
      await facts(job, NOW, 'a');
      assert.equal(executor.asked.length, 2);
      assert.match(told[0] ?? '', /^sha256:[0-9a-f]{64} the second opinion refuses$/);
    });

    it('asked afterwards, takes back what it has given', async () => {
      let told = 0;
      const { executor, facts } = create(
        (job, options) => (options.secondOpinion === 'before' ? disagreeing() : answer(job, options)),
        'after',
        { ...SILENT, disagreed: () => (told += 1) },
      );
      const job = toJob();
      assert.equal(describeOutcome(await facts(job, NOW, 'a')), 'proven');
      await sleep(10);
      assert.equal(told, 1);
      assert.deepEqual(
        executor.asked.map(({ secondOpinion }) => secondOpinion),
        ['off', 'before'],
      );
      await facts(job, NOW, 'a');
      assert.equal(executor.asked.length >= 3, true);
    });
  });

  it('asks for no second opinion when that is off', async () => {
    const { executor, facts } = create(answer, 'off');
    const outcome = await facts(toJob(), NOW, 'a');
    assert.equal(outcome.kind === 'proven' && outcome.signature.facts.secondOpinion, 'off');
    assert.equal(executor.asked.length, 1);
  });
});
