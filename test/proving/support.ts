// Shared by the tests of proving/: jobs about real signatures, and an executor that counts.
import type { Executor } from '../../src/proving/executor.ts';
import type { SigningAuthority } from '../../src/signature/authority.ts';
import type { VerifyOptions } from '../../src/signature/facts.ts';
import { toNamedMaterial } from '../../src/signature/material.ts';
import { proveItem, type ItemOutcome } from '../../src/verdict/prove-item.ts';
import type { ProofJob } from '../../src/verdict/prove.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { DIGEST, keyAuthority, STATEMENT, toBytes, toManifest } from '../signature/support.ts';

export const KEY = generateSigningKey('p256');
export const NOW = new Date();

/** A job about a bundle. */
export function toJob(
  bundle: object = signBundleWithKey(STATEMENT, KEY),
  authority: SigningAuthority = keyAuthority(KEY.publicKeyPem),
  subject: Partial<ProofJob['subject']> = {},
): ProofJob {
  const found = { place: 'referrer' as const, referrer: DIGEST, bytes: toBytes(bundle) };
  return {
    item: { kind: 'bundle', found },
    material: toNamedMaterial(authority),
    subject: { digest: DIGEST, manifest: toManifest(), ...subject },
  };
}

/** What a job's answer is without threads or memory. */
export function answer({ item, material, subject }: ProofJob, options: VerifyOptions): ItemOutcome {
  return proveItem(item, material.material, subject, options);
}

/** An executor that remembers what it was asked. */
export function createCountingExecutor(
  run: (job: ProofJob, options: VerifyOptions) => ItemOutcome = answer,
): Executor & { readonly asked: VerifyOptions[] } {
  const asked: VerifyOptions[] = [];
  return {
    asked,
    run(job, options) {
      asked.push(options);
      return Promise.resolve(run(job, options));
    },
    close: () => Promise.resolve(),
  };
}

/** The reason of a refusal, else the kind of outcome. */
export function describeOutcome(outcome: ItemOutcome): string {
  return 'problem' in outcome ? outcome.problem.reason : outcome.kind;
}
