// Does verification work in this process? Verifies one embedded bundle with the second opinion, and refuses it with one
// byte of its signature changed. Run by every thread before it is ready; it warms the code up as well.
import { toErrorMessage } from '../lib/text.ts';
import type { KeylessAuthority } from '../signature/authority.ts';
import { parseTrustedRoot } from '../trust/trusted-root.ts';
import { NO_REVOCATIONS } from '../trust/revocation.ts';
import { proveItem, type ItemOutcome } from '../verdict/prove-item.ts';
import {
  SELF_TEST_BUNDLE,
  SELF_TEST_DIGEST,
  SELF_TEST_TIME,
  SELF_TEST_TRUSTED_ROOT,
} from './self-test-material.ts';

/** What is wrong with verification here; undefined when nothing is. */
export function selfTest(encodedBundle: string = SELF_TEST_BUNDLE): string | undefined {
  try {
    const bundle = Buffer.from(encodedBundle, 'base64');
    const material = toMaterial();
    const good = verify(bundle, material);
    if (good.kind !== 'proven') return `a good bundle is not accepted (${describe(good)})`;
    if (good.signature.facts.secondOpinion !== 'agrees') return 'the second opinion was not given';
    const bad = verify(falsify(bundle), material);
    return bad.kind === 'refused' ? undefined : `a falsified bundle is not refused (${describe(bad)})`;
  } catch (error) {
    return toErrorMessage(error);
  }
}

type Material = Omit<KeylessAuthority, 'name' | 'identities'>;

function toMaterial(): Material {
  return {
    kind: 'keyless',
    signatureFormats: new Set(['CosignBundle']),
    trustRoot: 'self-test',
    root: parseTrustedRoot(Buffer.from(SELF_TEST_TRUSTED_ROOT, 'base64')),
    requirements: { logEntries: 1, timestamps: 1, certificateTimestamps: 1 },
    revoked: NO_REVOCATIONS,
  };
}

function verify(bytes: Buffer, material: Material): ItemOutcome {
  return proveItem(
    { kind: 'bundle', found: { place: 'referrer', referrer: SELF_TEST_DIGEST, bytes } },
    material,
    { digest: SELF_TEST_DIGEST },
    { now: new Date(SELF_TEST_TIME), secondOpinion: 'before' },
  );
}

// One bit in the middle of the only signature of the envelope.
function falsify(bundle: Buffer): Buffer {
  const text = bundle.toString('latin1');
  const at = text.indexOf('"sig":"') + 40;
  const other = text.charAt(at) === 'A' ? 'B' : 'A';
  return Buffer.from(`${text.slice(0, at)}${other}${text.slice(at + 1)}`, 'latin1');
}

function describe(outcome: ItemOutcome): string {
  return 'problem' in outcome ? `${outcome.problem.reason}: ${outcome.problem.message}` : outcome.kind;
}
