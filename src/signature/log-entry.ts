// Is this entry really in the log? Signed entry timestamps of Rekor v1, inclusion proofs with checkpoints of both
// generations, and the windows of log keys. What the entry says is read by log-body.ts.
import type { LogEntry } from './bundle.ts';
import { verifyCheckpoint } from './checkpoint.ts';
import { verifyCosignatures, type Cosigners } from './cosignature.ts';
import { SignatureError } from './error.ts';
import { toRootHash } from './merkle.ts';
import type { PreparedLog } from './prepared-trust.ts';
import { toLogAlgorithm, verifyWithAlgorithm } from './signature-algorithm.ts';

/** Entry types that only Rekor v2 writes. */
const UNSHARDED = new Set(['hashedrekord/0.0.2', 'dsse/0.0.2']);

const refuse = (message: string): SignatureError => new SignatureError('TransparencyLogInvalid', message);

/** When the log says it took the entry; undefined without a signed entry timestamp, which alone vouches for it. */
export function toIntegratedTime({ signedEntryTimestamp, integratedTime }: LogEntry): Date | undefined {
  return signedEntryTimestamp === undefined || integratedTime === '0'
    ? undefined
    : new Date(Number(integratedTime) * 1000);
}

/**
 * Verifies everything that the entry offers as proof: the signed entry timestamp, the inclusion proof, and what known
 * witnesses say about its checkpoint.
 * @returns names of the witnesses that cosigned the checkpoint, each once
 * @throws SignatureError `TransparencyLogInvalid` when one of them is wrong, or there is no proof
 */
export function verifyInclusion(entry: LogEntry, log: PreparedLog, cosigners: Cosigners): readonly string[] {
  const { signedEntryTimestamp, proof } = entry;
  if (signedEntryTimestamp === undefined && proof === undefined)
    throw refuse('a log entry has neither promise nor proof');
  if (signedEntryTimestamp !== undefined) verifySignedEntryTimestamp(entry, signedEntryTimestamp, log);
  if (proof === undefined) return [];
  verifyProof(entry.body, proof, log);
  // Rekor v1 promises an index over all its shards; Rekor v2 has one index, and only the proof vouches for it.
  const isUnsharded = UNSHARDED.has(`${entry.kind}/${entry.version}`);
  if (isUnsharded && signedEntryTimestamp === undefined && entry.logIndex !== proof.logIndex)
    throw refuse('a log entry has another index than its proof');
  return verifyCosignatures(proof.checkpoint, cosigners);
}

// Rekor v1: the signature is over the entry's canonical JSON (RFC 8785), whose members are in this order.
function verifySignedEntryTimestamp(entry: LogEntry, promise: Buffer, { publicKey }: PreparedLog): void {
  const { body, integratedTime, logId, logIndex } = entry;
  const signed = `{"body":"${body.toString('base64')}","integratedTime":${integratedTime},"logID":"${logId.toString('hex')}","logIndex":${logIndex}}`;
  if (!verifyWithAlgorithm(toLogAlgorithm(publicKey), publicKey, Buffer.from(signed, 'latin1'), promise))
    throw refuse('the signed entry timestamp is not by the log');
}

function verifyProof(body: Buffer, proof: NonNullable<LogEntry['proof']>, log: PreparedLog): void {
  const { size, rootHash } = verifyCheckpoint(proof.checkpoint, log);
  // The copies beside the checkpoint are not signed; they must at least not contradict it.
  if (BigInt(proof.treeSize) !== size || !proof.rootHash.equals(rootHash))
    throw refuse('the inclusion proof is for another tree than its checkpoint');
  const root = toRootHash(body, { index: BigInt(proof.logIndex), size, hashes: proof.hashes });
  if (root?.equals(rootHash) !== true) throw refuse('the inclusion proof does not lead to the checkpoint');
}
