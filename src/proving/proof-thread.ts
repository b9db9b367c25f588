// The other thread: proves one item after the other, for as long as the process lives. It has no network, no files and
// no clock of its own; a fault ends one answer, never the thread.
import { parentPort } from 'node:worker_threads';
import { toErrorMessage } from '../lib/text.ts';
import type { AuthorityMaterial } from '../signature/authority.ts';
import type { SignedSubject } from '../signature/verify.ts';
import { proveItem } from '../verdict/prove-item.ts';
import type { Question, Reply } from './messages.ts';
import { fromSharedJson, revive, toPortable } from './portable.ts';
import { selfTest } from './self-test.ts';

const port = parentPort;
if (port === null) throw new Error('proof-thread.ts runs as a worker thread only');
const materials = new Map<string, AuthorityMaterial>();

function answer(question: Question & { say: 'prove' }): Reply {
  try {
    const material = materials.get(question.materialId);
    if (material === undefined) throw new Error('the material of a proof was not sent');
    const subject = toSubject(question);
    const outcome = proveItem({ ...question, material, subject }, question.options);
    return { say: 'outcome', outcome };
  } catch (error) {
    return { say: 'fault', message: toErrorMessage(error) };
  }
}

type Manifest = NonNullable<SignedSubject['manifest']>;

// Read where somebody's signature has been verified, and for nobody else's.
function toSubject({ subject, manifest }: Question & { say: 'prove' }): SignedSubject {
  if (manifest === undefined) return subject;
  let parsed: Manifest | undefined;
  return {
    ...subject,
    get manifest() {
      return (parsed ??= fromSharedJson(manifest) as Manifest);
    },
  };
}

port.on('message', (message: unknown) => {
  const question = revive(message) as Question;
  if (question.say === 'learn') materials.set(question.id, question.material);
  else if (question.say === 'forget') materials.delete(question.id);
  else port.postMessage(toPortable(answer(question)));
});

// Cold code is several times slower: the first bundle is one of ours, not somebody's waiting pod.
port.postMessage({ say: 'ready', problem: selfTest() } satisfies Reply);
