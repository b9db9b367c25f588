// Which private PKI does this authority trust? Turns a `certificate` of a spec into roots, identities and observers.
import { toRecord, toText } from '../lib/text.ts';
import type { CertificateAuthority } from '../signature/authority.ts';
import type { CertificateIdentityMatcher } from '../signature/certificate-identity.ts';
import type { PathCertificate } from '../signature/certificate-path.ts';
import { parseCertificates } from '../signature/certificate-pem.ts';
import type { TextMatcher } from '../signature/identity.ts';
import { CERTIFICATE_IDENTITY_FIELDS } from './certificate-authority-schema.ts';
import type { AuthorityContext, ReportProblem } from './compile-authority.ts';
import { compileObservers } from './compile-observers.ts';
import { compileText } from './compile-text.ts';
import { readBytes, takePemBlocks, TOO_MANY_PEM_BLOCKS } from './read-bytes.ts';
import type { MaterialContext } from './source-material.ts';
import type { CertificateIdentity, CertificateSpec, PemSource } from './types.ts';

type Compiled = Omit<CertificateAuthority, 'name' | 'signatureFormats'>;

/** Compiles a `certificate`; undefined when a problem was reported. */
export function compileCertificate(
  spec: CertificateSpec,
  context: AuthorityContext,
  report: ReportProblem,
): Compiled | undefined {
  const observers = compileObservers(spec, context, (path, ...problem) =>
    report(`certificate.${path}`, ...problem),
  );
  const roots = compileCertificates(spec.roots, context, { path: 'certificate.roots', report });
  const intermediates =
    spec.intermediates === undefined
      ? []
      : compileCertificates(spec.intermediates, context, { path: 'certificate.intermediates', report });
  const identities = spec.identities.map((identity, index) =>
    compileIdentity(identity, (problem) => report(`certificate.identities[${index}]`, problem)),
  );
  const usable = identities.filter((identity) => identity !== undefined);
  const isWhole = observers !== 'broken' && usable.length === identities.length;
  const notAfter = compileInstant(spec.notAfter, (problem) => report('certificate.notAfter', problem));
  if (!isWhole || roots === undefined || intermediates === undefined || notAfter === 'broken')
    return undefined;
  return {
    kind: 'certificate',
    roots,
    intermediates,
    identities: usable,
    extendedKeyUsage: spec.extendedKeyUsage ?? 'CodeSigning',
    ...(notAfter && { notAfter }),
    ...(observers && { observers }),
  };
}

function compileCertificates(
  { pem, ...references }: PemSource,
  context: MaterialContext,
  { path, report }: { readonly path: string; readonly report: ReportProblem },
): readonly PathCertificate[] | undefined {
  const bytes = readBytes({ ...references, text: pem }, context);
  if (!bytes.ok) {
    report(path, bytes.problem, bytes.reason);
    return undefined;
  }
  if (!takePemBlocks(bytes.bytes)) {
    report(path, TOO_MANY_PEM_BLOCKS);
    return undefined;
  }
  const parsed = parseCertificates(bytes.bytes.toString('latin1'));
  if (parsed.ok) return parsed.certificates;
  // A ConfigMap with a broken root is the operator's to mend, a broken root in the policy its author's.
  report(path, parsed.problem, pem === undefined ? 'CredentialsUnavailable' : 'PolicyInvalid');
  return undefined;
}

function compileIdentity(
  identity: CertificateIdentity,
  report: (problem: string) => void,
): CertificateIdentityMatcher | undefined {
  const values = toRecord(identity);
  const matchers: [string, TextMatcher][] = [];
  let isGood = true;
  for (const field of CERTIFICATE_IDENTITY_FIELDS) {
    const [exact, pattern] = [toText(values[field]), toText(values[`${field}RegExp`])];
    if (exact === undefined && pattern === undefined) continue;
    const matcher = compileText(exact, pattern, (problem) => report(`${field}: ${problem}`));
    if (matcher === undefined) isGood = false;
    else matchers.push([field, matcher]);
  }
  if (isGood && matchers.length === 0) report('at least one name must be set');
  return isGood && matchers.length > 0 ? Object.fromEntries(matchers) : undefined;
}

function compileInstant(
  text: string | undefined,
  report: (problem: string) => void,
): Date | 'broken' | undefined {
  if (text === undefined) return undefined;
  const instant = new Date(text);
  // 30 February is a date to `Date`, and another one to people.
  if (!Number.isNaN(instant.getTime()) && instant.toISOString().startsWith(text.slice(0, -1))) return instant;
  report('it is no RFC 3339 time in UTC');
  return 'broken';
}
