// Where may another verifier differ from ours, and why? Every difference that was looked into; one that is not here, or
// that goes the other way, fails the run.
import type { Answered, Tool } from './question.ts';

/** Why some answers differ. */
export interface Explanation {
  readonly tool: Tool;
  readonly ours: 'accept' | 'reject';
  /** Which questions: the set and, for its labels, what they must match. */
  readonly set: string;
  readonly labels: RegExp;
  readonly reason: string;
}

export const EXPLANATIONS: readonly Explanation[] = [
  {
    tool: 'cosign',
    ours: 'reject',
    set: 'conformance',
    labels: /^intoto-tsa-timestamp-outside-cert-validity_fail /u,
    reason:
      'a timestamp contradicts the time that the log gives; cosign does not read timestamps without `--use-signed-timestamps`, and with it rejects too. We judge the certificate at every trusted time',
  },
  {
    tool: 'cosign',
    ours: 'reject',
    set: 'layouts',
    labels: /^c2-key-[a-z0-9-]+ cosign-v3-signature /u,
    reason:
      'the policy asks for a bundle and only a cosign 2 signature is there; cosign takes the older format when it finds no bundle, we only with `CosignSimpleSigning` in `signatureFormats`',
  },
  {
    tool: 'cosign',
    ours: 'reject',
    set: 'layouts',
    labels: /^c3-(?:attest-|sign-and-attest )\S* ?cosign-v3-signature /u,
    reason:
      'the key made an attestation and no signature; `cosign verify` accepts any statement about the digest, we only one of type `cosign/sign/v1`',
  },
  {
    tool: 'cosign',
    ours: 'accept',
    set: 'layouts',
    labels: /^c[23]-key-ed25519 /u,
    reason:
      'cosign 3 signs with Ed25519ph and verifies pure Ed25519, so it refuses its own signatures; we accept both, and so does sigstore-go where it is a bundle',
  },
  {
    tool: 'model_signing',
    ours: 'reject',
    set: 'layouts',
    labels: /^neg-oms-mediatype oms /u,
    reason:
      'the bytes of the layer are the signed ones, but its unsigned media type says archive, so a consumer would unpack other files; model_signing sees files only',
  },
  {
    tool: 'model_signing',
    ours: 'reject',
    set: 'layouts',
    labels: /^neg-oms-title-vs-filepath oms /u,
    reason:
      'two annotations give one layer different names and nobody knows which one a consumer takes; model_signing sees files only, here named by the title',
  },
  {
    tool: 'model_signing',
    ours: 'reject',
    set: 'layouts',
    labels: /^oms-ignored-readme oms /u,
    reason:
      'a layer is unsigned and in the statement’s `ignore_paths`; at admission every layer must be signed, on disk we skip such files as model_signing does',
  },
  ...['layouts', 'layouts, as files'].map((set): Explanation => ({
    tool: 'model_signing',
    ours: 'reject',
    set,
    labels: /^oms-cert-expired oms /u,
    reason:
      'nothing trusted says when the signature was made, so we judge the expired certificate now; model_signing judges it at its own first second',
  })),
  {
    tool: 'model_signing',
    ours: 'accept',
    set: 'layouts, as files',
    labels: /^oms-shards oms /u,
    reason:
      'files are signed in shards; the command line of model_signing hashes whole files, its library verifies them when told the shard size, `verify-files` reads it from the statement',
  },
  {
    tool: 'sigstore-go',
    ours: 'accept',
    set: 'files',
    labels: /^v1\.0\.[01]-certificate as recorded$/u,
    reason:
      'model_signing’s own certificates name no subject alternative name, without which sigstore-go knows no signer; under private roots we take any certificate for code signing',
  },
  {
    tool: 'sigstore-go',
    ours: 'accept',
    set: 'files',
    labels: /^v1\.0\.[01]-elliptic-key as recorded$/u,
    reason:
      'model_signing 1.0 writes `publicKey.rawBytes`, which the bundle schema does not have; sigstore-go refuses unknown members, we ignore this one and never trust the key in it',
  },
];

/** The explanation of a difference, when there is one. */
export function findExplanation({ set, label, ours }: Answered, tool: Tool): Explanation | undefined {
  return EXPLANATIONS.find(
    (known) =>
      known.tool === tool && known.set === set && known.ours === ours.verdict && known.labels.test(label),
  );
}
