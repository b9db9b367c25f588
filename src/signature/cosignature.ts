// Which witnesses have seen this tree? Cosignatures of checkpoints by the witnesses that a TrustRoot names; lines of
// anybody else are left alone. Specification: C2SP tlog-cosignature.md, `cosignature/v1` with Ed25519.
import type { WitnessKey } from '../trust/witness-key.ts';
import { quote } from '../lib/text.ts';
import { readNote, type NoteSignature, type SignedNote } from './checkpoint.ts';
import { SignatureError } from './error.ts';
import { toLogAlgorithm, verifyWithAlgorithm } from './signature-algorithm.ts';

const TIME_BYTES = 8;
const ED25519_SIGNATURE_BYTES = 64;

/** Whose cosignatures count. */
export interface Cosigners {
  readonly witnesses: readonly WitnessKey[];
  /** A cosignature with a later time is refused. */
  readonly notAfter: Date;
}

const refuse = ({ name }: WitnessKey, problem: string): SignatureError =>
  new SignatureError(
    'TransparencyLogInvalid',
    `the cosignature of witness ${quote(name, 80)} on the log's checkpoint ${problem}`,
  );

/**
 * Verifies the cosignatures of known witnesses on a checkpoint.
 * @returns their names, once for each key; the times that they write count for nothing
 * @throws SignatureError `TransparencyLogInvalid` when one in the name and key of a known witness is wrong
 */
export function verifyCosignatures(
  checkpoint: string,
  { witnesses, notAfter }: Cosigners,
): readonly string[] {
  if (witnesses.length === 0) return [];
  const note = readNote(checkpoint);
  const cosigners: WitnessKey[] = [];
  for (const line of note.signatures) {
    const witness = witnesses.find((known) => isBy(line, known));
    if (witness === undefined) continue;
    verifyCosignature(note, line, { witness, notAfter });
    // One key under two names is one witness.
    if (!cosigners.some(({ publicKey }) => publicKey.equals(witness.publicKey))) cosigners.push(witness);
  }
  return cosigners.map(({ name }) => name);
}

// C2SP signed-note: a line is a known signer's when name and key id are. The id covers the type of the signature.
function isBy(line: NoteSignature, { name, keyId }: WitnessKey): boolean {
  return line.name === name && line.keyId.equals(keyId);
}

function verifyCosignature(
  { text }: SignedNote,
  { signature }: NoteSignature,
  { witness, notAfter }: { readonly witness: WitnessKey; readonly notAfter: Date },
): void {
  if (signature.length !== TIME_BYTES + ED25519_SIGNATURE_BYTES)
    throw refuse(witness, 'is of another length');
  const seconds = signature.readBigUInt64BE();
  const signed = Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`, 'utf8');
  const { publicKey } = witness;
  const bytes = signature.subarray(TIME_BYTES);
  if (!verifyWithAlgorithm(toLogAlgorithm(publicKey), publicKey, signed, bytes))
    throw refuse(witness, 'is wrong');
  if (seconds * 1000n > BigInt(notAfter.getTime()))
    throw refuse(witness, "is in the future of this controller's clock");
}
