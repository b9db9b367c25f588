// What exactly is signed? The in-toto statements that cosign 3 and model_signing 1.1 write, and the DSSE
// encoding that goes under the signature. Leaves keys and bundles to sign-with-key.ts and sigstore.ts.
import { createHash } from 'node:crypto';

const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';

/** The payload type of every statement in a Sigstore bundle. */
export const IN_TOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** The predicate type of `cosign sign`. */
export const COSIGN_SIGN_PREDICATE = 'https://sigstore.dev/cosign/sign/v1';

/** The predicate type of OpenSSF Model Signing 1.0. */
export const MODEL_SIGNING_PREDICATE = 'https://model_signing/signature/v1.0';

/** One signed file: its name in the model and the hex SHA-256 of its content. */
export interface SignedResource {
  readonly name: string;
  readonly digest: string;
  readonly algorithm?: string;
}

/** The statement of `cosign sign` about the manifest with this digest (`sha256:<hex>`). */
export function cosignSignStatement(
  digest: string,
  annotations: Readonly<Record<string, string>> = {},
): object {
  return {
    _type: STATEMENT_TYPE,
    subject: [{ digest: digestSet(digest), annotations }],
    predicateType: COSIGN_SIGN_PREDICATE,
    predicate: {},
  };
}

/** An attestation about the manifest with this digest, such as provenance or a bill of materials. */
export function attestationStatement(digest: string, predicateType: string, predicate: object): object {
  return {
    _type: STATEMENT_TYPE,
    subject: [{ name: 'model', digest: digestSet(digest) }],
    predicateType,
    predicate,
  };
}

/** The OpenSSF Model Signing statement about these files; its root digest is over their digests in this order. */
export function modelSigningStatement(
  name: string,
  resources: readonly SignedResource[],
  ignorePaths: readonly string[] = ['.gitattributes', '.github', '.git', '.gitignore'],
): object {
  const root = createHash('sha256');
  for (const resource of resources) root.update(Buffer.from(resource.digest, 'hex'));
  return {
    _type: STATEMENT_TYPE,
    subject: [{ name, digest: { sha256: root.digest('hex') } }],
    predicateType: MODEL_SIGNING_PREDICATE,
    predicate: {
      resources: resources.map((resource) => ({
        digest: resource.digest,
        algorithm: resource.algorithm ?? 'sha256',
        name: resource.name,
      })),
      serialization: {
        ignore_paths: ignorePaths,
        hash_type: 'sha256',
        method: 'files',
        allow_symlinks: false,
      },
    },
  };
}

/** The bytes that a DSSE signature covers. */
export function preAuthenticationEncoding(type: string, payload: Buffer): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/** A statement as payload bytes; bytes pass unchanged, so that malformed payloads can be signed too. */
export function statementBytes(statement: object): Buffer {
  return Buffer.isBuffer(statement) ? statement : Buffer.from(JSON.stringify(statement));
}

function digestSet(digest: string): Record<string, string> {
  const [algorithm = '', hex = ''] = digest.split(':');
  return { [algorithm]: hex };
}
