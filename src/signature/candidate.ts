// What kind of signature is this? Sorts fetched bundles before any authority looks at them, so that each is parsed
// once and attestations never count as signatures.
import { parseBundle, type Bundle } from './bundle.ts';
import { SignatureError } from './error.ts';
import type { SignatureFormat } from './facts.ts';
import {
  COSIGN_SIGN_PREDICATE,
  MODEL_SIGNING_PREDICATE,
  parseStatement,
  type Statement,
} from './statement.ts';
import { quote } from '../lib/text.ts';

/** A bundle that claims to sign a model. Nothing of it is verified yet. */
export interface SignatureCandidate {
  readonly format: SignatureFormat;
  readonly bundle: Bundle;
  readonly statement: Statement;
}

const OLD_MODEL_SIGNING = 'https://model_signing/';

/**
 * Parses one bundle.
 * @returns the candidate, or undefined for attestations, which are no signatures
 * @throws SignatureError for broken bundles and formats that are known but not supported
 */
export function toSignatureCandidate(bytes: Uint8Array): SignatureCandidate | undefined {
  const bundle = parseBundle(bytes);
  const statement = parseStatement(bundle.envelope.payload);
  switch (statement.predicateType) {
    case COSIGN_SIGN_PREDICATE:
      return { format: 'CosignBundle', bundle, statement };
    case MODEL_SIGNING_PREDICATE:
      return { format: 'ModelSigning', bundle, statement };
    default:
      if (statement.predicateType.startsWith(OLD_MODEL_SIGNING))
        throw new SignatureError(
          'UnsupportedFormat',
          `predicate type ${quote(statement.predicateType, 80)} is not supported`,
        );
      return undefined;
  }
}
