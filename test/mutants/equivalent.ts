// Which mutants change nothing that anybody could see? Each by file, change and text, with the reason.
import type { Change } from './guards.ts';

export interface Equivalent {
  /** Below src. */
  readonly file: string;
  readonly change: Change;
  readonly text: string;
  readonly why: string;
}

export const EQUIVALENT: readonly Equivalent[] = [
  {
    file: 'signature/bundle-fields.ts',
    change: 'removed',
    text: 'throw error;',
    why: 'only faults of this program pass there',
  },
  {
    file: 'signature/bundle.ts',
    change: 'never',
    text: 'signatures.length !== 1',
    why: 'no signature is no object either, and is refused as that',
  },
  {
    file: 'signature/certificate-role.ts',
    change: 'dropped',
    text: 'pathLength !== undefined',
    why: 'nothing is less than a number that is not there',
  },
  {
    file: 'signature/certificate-role.ts',
    change: 'removed',
    text: 'throw error;',
    why: 'only faults of this program pass there',
  },
  {
    file: 'signature/certificate.ts',
    change: 'never',
    text: '!native.raw.equals(der) || !key.equals(spki)',
    why: 'OpenSSL and the reader agree wherever one is known; a second lock',
  },
  {
    file: 'signature/certificate.ts',
    change: 'dropped',
    text: '!native.raw.equals(der)',
    why: 'OpenSSL and the reader agree wherever one is known; a second lock',
  },
  {
    file: 'signature/certificate.ts',
    change: 'dropped',
    text: '!key.equals(spki)',
    why: 'OpenSSL and the reader agree wherever one is known; a second lock',
  },
  {
    file: 'signature/certificate-path.ts',
    change: 'dropped',
    text: 'native.raw.equals(der)',
    why: 'OpenSSL and the reader agree wherever one is known; a second lock',
  },
  {
    file: 'signature/certificate-path.ts',
    change: 'dropped',
    text: "key.export({ type: 'spki', format: 'der' }).equals(certificate.spki)",
    why: 'OpenSSL and the reader agree wherever one is known; a second lock',
  },
  {
    file: 'signature/certificate-path.ts',
    change: 'dropped',
    text: 'native.publicKey.equals(key)',
    why: 'OpenSSL and the reader agree wherever one is known; a second lock',
  },
  {
    file: 'signature/certificate-path.ts',
    change: 'removed',
    text: "throw new DerError('it cannot be read by OpenSSL');",
    why: 'the next line throws as well',
  },
  {
    file: 'signature/certificate-path.ts',
    change: 'removed',
    text: "throw new DerError('it is read in two ways');",
    why: 'OpenSSL and the reader agree wherever one is known; a second lock',
  },
  {
    file: 'signature/certificate-path.ts',
    change: 'dropped',
    text: 'child === undefined',
    why: 'a path has a leaf',
  },
  {
    file: 'signature/certificate-path.ts',
    change: 'dropped',
    text: '!child.certificate.issuer.equals(issuer.certificate.subject)',
    why: 'names are compared again before a signature is',
  },
  {
    file: 'signature/certificate-path.ts',
    change: 'never',
    text: 'before !== undefined',
    why: 'a memory: the same answer, later',
  },
  {
    file: 'signature/certificate-path.ts',
    change: 'removed',
    text: 'throw error;',
    why: 'only faults of this program pass there',
  },
  {
    file: 'signature/checkpoint.ts',
    change: 'dropped',
    text: 'end === -1',
    why: 'a note without an empty line has no line that is a signature',
  },
  {
    file: 'signature/checkpoint.ts',
    change: 'never',
    text: 'lines.length === 0',
    why: 'without lines there is none of the log',
  },
  {
    file: 'signature/checkpoint.ts',
    change: 'dropped',
    text: "origin === ''",
    why: 'no name of a log is empty, and the origin must be the name',
  },
  {
    file: 'signature/key.ts',
    change: 'dropped',
    text: 'existedBy',
    why: 'a member that is undefined and one that is absent are written alike',
  },
  {
    file: 'signature/key.ts',
    change: 'dropped',
    text: 'hint !== undefined',
    why: 'no key has the hint undefined',
  },
  {
    file: 'signature/log-body.ts',
    change: 'dropped',
    text: "typeof label === 'string'",
    why: 'no other value is a name of a hash',
  },
  {
    file: 'signature/log-body.ts',
    change: 'dropped',
    text: 'Object.hasOwn(HASH_NAMES, label)',
    why: 'what else an object has is of no length',
  },
  {
    file: 'signature/log-body.ts',
    change: 'dropped',
    text: 'hash === undefined',
    why: 'a digest that is not there is compared again',
  },
  {
    file: 'signature/observers.ts',
    change: 'dropped',
    text: 'at',
    why: 'no time is within no window, and the first log is taken',
  },
  {
    file: 'signature/observers.ts',
    change: 'never',
    text: 'log === undefined',
    why: 'it is called with at least one log',
  },
  {
    file: 'signature/merkle.ts',
    change: 'dropped',
    text: 'rest !== 0n',
    why: 'the last node of a level is never node 0 there',
  },
  {
    file: 'signature/timestamp.ts',
    change: 'dropped',
    text: 'authority === undefined',
    why: 'an authority that is not there has no signer',
  },
  {
    file: 'signature/timestamp.ts',
    change: 'dropped',
    text: 'signer === undefined',
    why: 'an authority has a signer',
  },
  {
    file: 'signature/timestamp.ts',
    change: 'removed',
    text: 'throw error;',
    why: 'only faults of this program pass there',
  },
  {
    file: 'signature/timestamp.ts',
    change: 'dropped',
    text: 'certificate !== undefined',
    why: 'an authority has a signer',
  },
  {
    file: 'signature/timestamp.ts',
    change: 'dropped',
    text: "preset === 'sha256'",
    why: 'the older attribute has no name of a hash in this place',
  },
  {
    file: 'verdict/evaluate-rule.ts',
    change: 'dropped',
    text: "typeof made.value === 'string'",
    why: 'a message program makes text or fails',
  },
  {
    file: 'verdict/exceptions.ts',
    change: 'dropped',
    text: 'digest !== undefined',
    why: 'no list has the digest undefined',
  },
  {
    file: 'verdict/prove-item.ts',
    change: 'never',
    text: 'known !== undefined',
    why: 'a memory: the same answer, later',
  },
  {
    file: 'policy/check-object.ts',
    change: 'never',
    text: '!(error instanceof TrustedRootError)',
    why: 'only faults of this program pass there',
  },
  {
    file: 'policy/compile-signature-repository.ts',
    change: 'removed',
    text: 'throw error;',
    why: 'only faults of this program pass there',
  },
  {
    file: 'policy/declare-trust-root.ts',
    change: 'dropped',
    text: 'value !== undefined',
    why: 'what is not there is within no bounds',
  },
  {
    file: 'policy/documents.ts',
    change: 'never',
    text: 'error instanceof RangeError',
    why: 'a second lock: the YAML library tells deep nesting itself',
  },
  {
    file: 'policy/documents.ts',
    change: 'negated',
    text: 'error instanceof RangeError',
    why: 'a second lock: the YAML library tells deep nesting itself',
  },
  {
    file: 'policy/documents.ts',
    change: 'removed',
    text: 'throw error;',
    why: 'only faults of this program pass there',
  },
  {
    file: 'policy/lint-authority.ts',
    change: 'dropped',
    text: 'compiled.ok',
    why: 'advice is about policies without faults, whose patterns compile',
  },
  {
    file: 'policy/select.ts',
    change: 'never',
    text: '!byRegistry.has(registry)',
    why: 'the same answer: it bounds what is remembered',
  },
  {
    file: 'policy/selection.ts',
    change: 'never',
    text: '!policies.some(({ matchConditions }) => matchConditions.length > 0)',
    why: 'the same answer, with a clock that nobody needs',
  },
  {
    file: 'policy/declare-trust-root.ts',
    change: 'never',
    text: 'entries.length === 0',
    why: 'nothing of an empty list is revoked either',
  },
  {
    file: 'policy/lint.ts',
    change: 'never',
    text: '!compiled.ok',
    why: 'what does not compile has no advice',
  },
  {
    file: 'policy/lint.ts',
    change: 'never',
    text: 'minAuthorities < 2',
    why: 'one is always reached',
  },
  {
    file: 'policy/compile-changed.ts',
    change: 'dropped',
    text: 'source.spec === known.spec',
    why: 'the same answer, later',
  },
  {
    file: 'policy/validate.ts',
    change: 'never',
    text: 'known !== undefined',
    why: 'a memory: the same answer, later',
  },
  {
    file: 'policy/cel/hardening.ts',
    change: 'dropped',
    text: "typeof node.args !== 'string'",
    why: 'a name is a text',
  },
  {
    file: 'policy/cel/hardening.ts',
    change: 'dropped',
    text: "node.op !== 'value'",
    why: 'only a literal holds bytes',
  },
  {
    file: 'policy/cel/hardening.ts',
    change: 'dropped',
    text: 'first !== undefined',
    why: 'a call with one parameter has it',
  },
  {
    file: 'policy/cel/hardening.ts',
    change: 'dropped',
    text: "type.name === 'google.protobuf.Duration'",
    why: 'what is added to a timestamp on its right is a duration',
  },
  {
    file: 'policy/cel/text-order.ts',
    change: 'dropped',
    text: 'at < length',
    why: 'behind its end a text is equal to nothing',
  },
];
