// Whose signature on files counts? The trust options of verify-files as one authority.
import type { OptionValues } from '../config.ts';
import { parseCertificates } from '../signature/certificate-pem.ts';
import { createExactMatcher } from '../signature/identity.ts';
import { parsePublicKeys } from '../signature/public-key.ts';
import type { SigningAuthority } from '../signature/authority.ts';
import { NO_REVOCATIONS } from '../trust/revocation.ts';
import { loadPublicGoodRoot } from '../trust/public-good.ts';
import { parseTrustedRoot, TrustedRootError, type TrustedRoot } from '../trust/trusted-root.ts';
import { textOf, UsageError } from './arguments.ts';
import { readNamedFile } from './registry-transport.ts';

const FORMATS = { signatureFormats: new Set(['ModelSigning'] as const) };
/** One log entry, one trusted time, one certificate timestamp: what the public-good instance always gives. */
const REQUIREMENTS = { logEntries: 1, timestamps: 1, certificateTimestamps: 1 };

/** Reads the options. @throws UsageError unless they name exactly one kind of trust */
export function readTrust(values: OptionValues): SigningAuthority {
  const [key, roots] = [textOf(values, 'key'), textOf(values, 'roots')];
  const [issuer, subject] = [textOf(values, 'issuer'), textOf(values, 'subject')];
  const trustedRoot = textOf(values, 'trusted-root');
  const isKeyless = issuer !== undefined || subject !== undefined;
  if ([key !== undefined, isKeyless, roots !== undefined].filter(Boolean).length !== 1)
    throw new UsageError('exactly one of --key, --issuer with --subject, --roots is needed');
  if (trustedRoot !== undefined && !isKeyless)
    throw new UsageError('--trusted-root belongs to --issuer and --subject');
  if (key !== undefined) return readKeys(key);
  if (roots !== undefined) return readRoots(roots);
  if (issuer === undefined || subject === undefined)
    throw new UsageError('--issuer and --subject belong together');
  const identity = {
    issuer: createExactMatcher(issuer),
    subject: createExactMatcher(subject),
    claims: new Map(),
  };
  return {
    ...FORMATS,
    kind: 'keyless',
    name: 'issuer and subject',
    identities: [identity],
    trustRoot: trustedRoot ?? 'public-good',
    root: readTrustedRoot(trustedRoot),
    requirements: REQUIREMENTS,
    revoked: NO_REVOCATIONS,
  };
}

function readKeys(file: string): SigningAuthority {
  const parsed = parsePublicKeys(readNamedFile(file, 'key').toString('latin1'));
  if (!parsed.ok) throw new UsageError(`key ${file}: ${parsed.problem}`);
  return { ...FORMATS, kind: 'key', name: 'key', keys: parsed.keys };
}

function readRoots(file: string): SigningAuthority {
  const parsed = parseCertificates(readNamedFile(file, 'roots').toString('latin1'));
  if (!parsed.ok) throw new UsageError(`roots ${file}: ${parsed.problem}`);
  return {
    ...FORMATS,
    kind: 'certificate',
    name: 'roots',
    roots: parsed.certificates,
    intermediates: [],
    // Whoever gives no name trusts everybody whom the roots certified.
    identities: [{ spki: { matches: () => true, describe: 'any key' } }],
    extendedKeyUsage: 'CodeSigning',
  };
}

function readTrustedRoot(file: string | undefined): TrustedRoot {
  try {
    return file === undefined ? loadPublicGoodRoot() : parseTrustedRoot(readNamedFile(file, 'trusted root'));
  } catch (error) {
    if (error instanceof TrustedRootError)
      throw new UsageError(`trusted root ${file ?? 'public-good'}: ${error.message}`);
    throw error;
  }
}
