// Whom does an authority accept, in words? From what was compiled, and from the policy as it was written where patterns
// are. Pure.
import { quote, toArray, toRecord } from '../lib/text.ts';
import type { Authority } from '../signature/authority.ts';

/** Describes an authority: one text for each signer that would do. @param spec the authority as it was written */
export function describeAuthority(authority: Authority, spec: Record<string, unknown>): readonly string[] {
  switch (authority.kind) {
    case 'static':
      return [authority.action === 'Pass' ? 'admits without a signature' : 'denies by name'];
    case 'key':
      return authority.keys.map(({ fingerprint }) => `key sha256:${fingerprint}`);
    case 'keyless':
      return describeIdentities(toRecord(spec['keyless']), `under TrustRoot ${authority.trustRoot}`);
    case 'tenant':
      return ["whom the namespace's own ModelPolicies accept"];
    case 'certificate':
    default:
      return describeIdentities(toRecord(spec['certificate']), 'under the roots of the policy');
  }
}

function describeIdentities(spec: Record<string, unknown>, under: string): readonly string[] {
  return toArray(spec['identities']).map((identity) => {
    const parts = Object.entries(toRecord(identity)).flatMap(([name, value]) =>
      typeof value === 'string'
        ? [describeText(name, value)]
        : Object.entries(toRecord(value)).map(([claim, text]) =>
            describeText(name.endsWith('RegExp') ? `${claim}RegExp` : claim, String(text)),
          ),
    );
    return `${parts.join(', ')} ${under}`;
  });
}

function describeText(name: string, value: string): string {
  return name.endsWith('RegExp')
    ? `${name.slice(0, -'RegExp'.length)} like ${quote(value)}`
    : `${name} ${quote(value)}`;
}
