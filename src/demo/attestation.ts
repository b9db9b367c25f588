// How did cosign 2 attest? DSSE envelopes with everything else in annotations, by key and keyless with a Rekor v1 entry
// of either kind, each step of which can be left out or done wrong; and where they are pushed. Attestations of cosign 3
// are bundles: sign-with-key.ts and sigstore.ts make them of any statement.
import { issueIdentity, type KeylessOptions, type SigningServices } from './bundle-assembly.ts';
import { certificatePem } from './certificate.ts';
import type { Identity } from './identity-certificate.ts';
import { generateSigningKey, type SigningKey } from './keys.ts';
import { dsseBodyV1, inTotoBodyV1, type LogVerifier } from './log-entry.ts';
import type { PackedModel } from './artifacts.ts';
import type { RegistryHandle } from './registry.ts';
import { dsseEnvelope, signBytes, type DsseEnvelope } from './sign-with-key.ts';
import { putTagged } from './signature-tag.ts';
import { rekorBundle, SIMPLE_SIGNING_ANNOTATIONS, timestampAnnotation } from './simple-signing.ts';
import { IN_TOTO_PAYLOAD_TYPE, preAuthenticationEncoding, statementBytes } from './statement.ts';
import type { LogBody } from './transparency-log.ts';

const ENVELOPE_TYPE = 'application/vnd.dsse.envelope.v1+json';

/** One attestation: a layer and its annotations. */
export interface TaggedAttestation {
  readonly envelope: object;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The tag under which attestations of a digest are looked for. */
export function attestationTag(digest: string): string {
  return `${digest.replace(':', '-')}.att`;
}

/** Signs a statement with a managed key, without a log, as `cosign attest` did. */
export function attestWithKey(
  statement: object,
  key: Pick<SigningKey, 'privateKey'>,
  payloadType = IN_TOTO_PAYLOAD_TYPE,
): TaggedAttestation {
  return {
    envelope: signEnvelope(statement, key, payloadType),
    annotations: { [SIMPLE_SIGNING_ANNOTATIONS.signature]: '' },
  };
}

/** Where a keyless attestation departs from what cosign 2 made; a timestamp is asked for. */
export type AttestKeylessOptions = Pick<
  KeylessOptions,
  'at' | 'certificate' | 'logVerifier' | 'omitLogEntry' | 'omitTimestamp' | 'logBodyFor'
> & {
  /** The kind of the log entry; `intoto/0.0.1` is the one of old. */
  readonly entry?: 'dsse' | 'intoto' | 'intoto/0.0.1';
};

/** Signs a statement as `cosign attest` did for an OIDC identity. */
export function attestKeyless(
  services: SigningServices,
  statement: object,
  identity: Identity,
  options: AttestKeylessOptions = {},
): TaggedAttestation {
  const at = options.at ?? new Date();
  const key = generateSigningKey('p256');
  const certificate = issueIdentity(services, key, identity, { ...options, at });
  const envelope = signEnvelope(statement, key);
  const logged = options.logBodyFor === undefined ? envelope : signEnvelope(options.logBodyFor, key);
  const names = SIMPLE_SIGNING_ANNOTATIONS;
  const signature = Buffer.from(envelope.signatures[0]?.sig ?? '', 'base64');
  const body = toBody(logged, options.logVerifier ?? { certificate }, options.entry);
  return {
    envelope,
    annotations: {
      [names.signature]: '',
      [names.certificate]: certificatePem(certificate),
      [names.chain]: services.authority.chain.map((der) => certificatePem(der)).join(''),
      ...(options.omitLogEntry === true
        ? {}
        : { [names.bundle]: rekorBundle(services.log.append(body, at)) }),
      ...(options.omitTimestamp === false
        ? { [names.timestamp]: timestampAnnotation(services, signature, at) }
        : {}),
    },
  };
}

/** Pushes attestations as the layers of one manifest under the model's attestation tag; returns its digest. */
export function attachAttestations(
  registry: RegistryHandle,
  model: Pick<PackedModel, 'repository' | 'digest'>,
  attestations: readonly TaggedAttestation[],
): string {
  const layers = attestations.map(({ envelope, annotations }) => {
    const bytes = Buffer.isBuffer(envelope) ? envelope : Buffer.from(JSON.stringify(envelope));
    return { mediaType: ENVELOPE_TYPE, ...registry.putBlob(bytes), annotations };
  });
  return putTagged(registry, model, layers, attestationTag(model.digest));
}

function signEnvelope(
  statement: object,
  { privateKey }: Pick<SigningKey, 'privateKey'>,
  payloadType = IN_TOTO_PAYLOAD_TYPE,
): DsseEnvelope {
  const payload = statementBytes(statement);
  const signature = signBytes(preAuthenticationEncoding(payloadType, payload), privateKey);
  return dsseEnvelope(payload, payloadType, signature, '');
}

function toBody(
  envelope: DsseEnvelope,
  verifier: LogVerifier,
  entry: AttestKeylessOptions['entry'] = 'dsse',
): LogBody {
  if (entry === 'dsse') return dsseBodyV1(envelope, verifier);
  return inTotoBodyV1(envelope, verifier, entry === 'intoto' ? '0.0.2' : '0.0.1');
}
