// How does a keyless bundle come together? The signer's steps, each of which can be left out or done wrong:
// certificate with SCT, signature, log entry, timestamp. Leaves the services to their own files and starting them
// to sigstore.ts.
import { encodeCertificate, encodeTbs } from './certificate.ts';
import { certificateFields, type Issuer } from './certificate-authority.ts';
import type { CtLog } from './ct-log.ts';
import { identityExtensions, type Identity } from './identity-certificate.ts';
import type { SigningKey } from './keys.ts';
import { dsseBodyV1, dsseBodyV2, hashedRekordBodyV2, type LogVerifier } from './log-entry.ts';
import { BUNDLE_MEDIA_TYPE, dsseEnvelope, signBytes, type DsseEnvelope } from './sign-with-key.ts';
import { IN_TOTO_PAYLOAD_TYPE, preAuthenticationEncoding, statementBytes } from './statement.ts';
import type { TimestampAuthority } from './timestamp-authority.ts';
import type { TransparencyLog } from './transparency-log.ts';

const CERTIFICATE_LIFETIME_MS = 10 * 60_000;

/** The services that a signature needs. */
export interface SigningServices {
  readonly authority: Issuer;
  readonly ctLog: CtLog;
  readonly log: TransparencyLog;
  readonly timestampAuthority: TimestampAuthority;
}

/** What goes wrong with the evidence around a signature. */
export interface EvidenceOptions {
  readonly omitLogEntry?: boolean;
  /** Rekor v2 needs a timestamp, so it is there unless omitted; with v1 it is there only for `false`. */
  readonly omitTimestamp?: boolean;
  /** The log entry is about another statement, signed by the same key. */
  readonly logBodyFor?: object;
  /** The log entry names another certificate or key than the one that signed. */
  readonly logVerifier?: LogVerifier;
  /** Which entry Rekor v2 writes; `hashedrekord` is what cosign 3 asks for. */
  readonly logKind?: 'hashedrekord' | 'dsse';
  /** When everything happens, instead of now. */
  readonly at?: Date;
  readonly payloadType?: string;
}

/** What goes wrong with a keyless signature; nothing by default. */
export interface KeylessOptions extends EvidenceOptions {
  readonly certificate?: {
    readonly notBefore?: Date;
    readonly notAfter?: Date;
    readonly omitSct?: boolean;
    /** OIDs; an empty list leaves the extension out. */
    readonly extendedKeyUsage?: readonly string[];
    /** More DER extensions. */
    readonly extensions?: readonly Buffer[];
  };
  /** The certificate is for another key than the one that signs. */
  readonly signWithOtherKey?: boolean;
}

/** The moment of signing. */
export type At = { readonly at: Date };

/** A statement, the key that signs it, and how bundle and log name that key. */
export interface Signing {
  readonly statement: object;
  readonly key: SigningKey;
  readonly verifier: LogVerifier;
  readonly material: object;
}

/** The identity's certificate, promised to the CT log before it is signed. */
export function issueIdentity(
  services: SigningServices,
  key: SigningKey,
  identity: Identity,
  { certificate = {}, at }: KeylessOptions & At,
): Buffer {
  const { authority, ctLog } = services;
  const fields = certificateFields(authority, {
    publicKey: key.publicKey,
    notBefore: certificate.notBefore ?? at,
    notAfter: certificate.notAfter ?? new Date(at.getTime() + CERTIFICATE_LIFETIME_MS),
    extensions: [
      ...identityExtensions(identity, certificate.extendedKeyUsage),
      ...(certificate.extensions ?? []),
    ],
  });
  const issuerKey = authority.key.privateKey;
  if (certificate.omitSct === true) return encodeCertificate(fields, issuerKey);
  const sct = ctLog.sctExtension(encodeTbs(fields, issuerKey), authority.key.publicKey, at);
  return encodeCertificate({ ...fields, extensions: [...fields.extensions, sct] }, issuerKey);
}

/** The bundle of one signature with the evidence that the options leave in. */
export function assembleBundle(
  services: SigningServices,
  signing: Signing,
  options: EvidenceOptions & At,
): object {
  const envelope = signEnvelope(signing.statement, signing.key, options.payloadType);
  return {
    mediaType: BUNDLE_MEDIA_TYPE,
    verificationMaterial: {
      ...signing.material,
      ...logEvidence(services, signing, { ...options, envelope }),
      ...timestampEvidence(services, envelope, options),
    },
    dsseEnvelope: envelope,
  };
}

function signEnvelope(statement: object, key: SigningKey, payloadType = IN_TOTO_PAYLOAD_TYPE): DsseEnvelope {
  const payload = statementBytes(statement);
  const signature = signBytes(preAuthenticationEncoding(payloadType, payload), key.privateKey);
  return dsseEnvelope(payload, payloadType, signature);
}

function logEvidence(
  { log }: SigningServices,
  signing: Signing,
  options: EvidenceOptions & At & { readonly envelope: DsseEnvelope },
): object {
  if (options.omitLogEntry === true) return {};
  const { logBodyFor, envelope, logVerifier: verifier = signing.verifier } = options;
  const logged =
    logBodyFor === undefined ? envelope : signEnvelope(logBodyFor, signing.key, options.payloadType);
  if (log.version === 'v1') return { tlogEntries: [log.append(dsseBodyV1(logged, verifier), options.at)] };
  const toBody = options.logKind === 'dsse' ? dsseBodyV2 : hashedRekordBodyV2;
  return { tlogEntries: [log.append(toBody(logged, verifier), options.at)] };
}

function timestampEvidence(
  { log, timestampAuthority }: SigningServices,
  envelope: DsseEnvelope,
  options: EvidenceOptions & At,
): object {
  if (options.omitTimestamp ?? log.version === 'v1') return {};
  const signature = Buffer.from(envelope.signatures[0]?.sig ?? '', 'base64');
  const signedTimestamp = timestampAuthority.timestamp(signature, options.at).toString('base64');
  return { timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp }] } };
}
