// What would @sigstore/verify say alone, used as its own client uses it? The comparison that shows which holes the core
// closes; nothing else in the project works this way.
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { createPublicKey } from 'node:crypto';

type Policy = NonNullable<Parameters<Verifier['verify']>[1]>;

export interface PlainOptions {
  readonly tlogThreshold?: number;
  readonly timestampThreshold?: number;
  readonly ctlogThreshold?: number;
  /** PEM of the key that the bundle's hint is answered with. */
  readonly key?: string;
  readonly artifact?: Buffer;
  readonly policy?: Policy;
}

/** `accepted`, or what the library threw. */
export function plainVerdict(bundle: object, trustedRootJson: string, options: PlainOptions = {}): string {
  const { key, artifact, policy, ...thresholds } = options;
  try {
    const root = TrustedRoot.fromJSON(JSON.parse(trustedRootJson));
    const finder =
      key === undefined ? undefined : () => ({ publicKey: createPublicKey(key), validFor: () => true });
    const entity = toSignedEntity(bundleFromJSON(JSON.parse(JSON.stringify(bundle))), artifact);
    new Verifier(toTrustMaterial(root, finder), thresholds).verify(entity, policy);
    return 'accepted';
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 200) : String(error);
  }
}
