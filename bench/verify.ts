// How fast is a verification, and what does the second opinion cost? The core alone, the core with its witness, and
// plain @sigstore/verify on the same bundles, in alternating rounds of one process. Prints rates and ratios; asserts
// nothing about time. Run: node bench/verify.ts [milliseconds per measurement]
import { createPublicKey } from 'node:crypto';
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { generateSigningKey } from '../src/demo/keys.ts';
import { signBundleWithKey } from '../src/demo/sign-with-key.ts';
import type { SigningAuthority } from '../src/signature/authority.ts';
import { toSignatureCandidate } from '../src/signature/candidate.ts';
import { verifySignature } from '../src/signature/verify.ts';
import {
  createWorld,
  DIGEST,
  keyAuthority,
  STATEMENT,
  toBytes,
  toManifest,
} from '../test/signature/support.ts';

const ROUNDS = 5;
const WARM_UP_MS = 500;
const milliseconds = Number(process.argv[2] ?? 1000);

interface Scenario {
  readonly name: string;
  readonly runs: Readonly<Record<'core' | 'core + witness' | 'library', () => void>>;
}

function toScenario(name: string, bundle: object, authority: SigningAuthority, plain: () => void): Scenario {
  const bytes = toBytes(bundle);
  const subject = { digest: DIGEST, manifest: toManifest() };
  const now = new Date();
  const verify = (secondOpinion: 'before' | 'off'): void => {
    const candidate = toSignatureCandidate(bytes);
    if (candidate === undefined) throw new Error('no signature');
    verifySignature(candidate, authority, subject, { now, secondOpinion });
  };
  return {
    name,
    runs: { core: () => verify('off'), 'core + witness': () => verify('before'), library: plain },
  };
}

async function keyless(name: string, rekor: 'v1' | 'v2'): Promise<Scenario> {
  const { authority, sigstore, sign } = await createWorld(rekor);
  const bundle = await sign();
  const text = JSON.stringify(bundle);
  const trust = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(sigstore.trustedRootJson())));
  const verifier = new Verifier(trust);
  return toScenario(name, bundle, authority, () =>
    verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(text)))),
  );
}

function managed(name: string, kind: 'p256' | 'p384'): Scenario {
  const key = generateSigningKey(kind);
  // Where the library refuses SHA-384 it gets SHA-256: it shall do the work that it can.
  const bundle = signBundleWithKey(STATEMENT, key);
  const text = JSON.stringify(signBundleWithKey(STATEMENT, key, { hash: 'sha256' }));
  const publicKey = createPublicKey(key.publicKeyPem);
  const root = TrustedRoot.fromJSON({
    tlogs: [],
    certificateAuthorities: [],
    ctlogs: [],
    timestampAuthorities: [],
  });
  const trust = toTrustMaterial(root, () => ({ publicKey, validFor: () => true }));
  const verifier = new Verifier(trust, { tlogThreshold: 0, timestampThreshold: 0, ctlogThreshold: 0 });
  return toScenario(name, bundle, keyAuthority(key.publicKeyPem), () =>
    verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(text)))),
  );
}

/** Verifications per second of processor time. */
function measure(run: () => void, forMs: number): number {
  const before = process.cpuUsage();
  const end = performance.now() + forMs;
  let count = 0;
  while (performance.now() < end) {
    run();
    count += 1;
  }
  const { user, system } = process.cpuUsage(before);
  return (count * 1_000_000) / (user + system);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const scenarios = [
  await keyless('DSSE, Rekor v1', 'v1'),
  await keyless('DSSE, Rekor v2 and TSA', 'v2'),
  managed('key P-256', 'p256'),
  managed('key P-384', 'p384'),
];
for (const { name, runs } of scenarios) {
  const ways = Object.entries(runs);
  for (const [, run] of ways) measure(run, WARM_UP_MS);
  const rates = new Map<string, number[]>(ways.map(([way]) => [way, []]));
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [way, run] of ways) rates.get(way)?.push(measure(run, milliseconds));
  const of = (way: string): number => median(rates.get(way) ?? []);
  const shown = ways.map(([way]) => {
    const perSecond = of(way);
    return `${way} ${perSecond.toFixed(0)}/s (${(1000 / perSecond).toFixed(2)} ms, × ${(perSecond / of('library')).toFixed(2)})`;
  });
  console.log(`${name}: ${shown.join(' · ')}`);
}
