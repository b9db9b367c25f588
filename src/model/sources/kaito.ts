// Which models does KAITO pull before a pod starts? Its init container runs `oras pull REF -o DIR`
// (kaito pkg/workspace/inference, GenerateModelPullerContainer); oras checks the digest.
import { toArray, toText } from '../../lib/text.ts';
import { expandVariables } from '../container.ts';
import type { ContainerView, PodView } from '../pod-view.ts';
import { type Sighting, unresolvable } from '../sighting.ts';

const SOURCE = 'KAITO';

/** Every reference that KAITO's downloader pulls. */
export function seeKaitoDownloads({ containers }: PodView): readonly Sighting[] {
  return containers.filter(({ name }) => name === 'model-weights-downloader').flatMap(seePulls);
}

interface Word {
  readonly text: string;
  readonly raw: string;
  readonly isComplete: boolean;
  readonly fieldPath: string;
}

function seePulls({ path, fields, environment }: ContainerView): readonly Sighting[] {
  const words = ['command', 'args'].flatMap((list) =>
    toArray(fields[list]).map((entry, index): Word => {
      const raw = toText(entry) ?? '';
      const { text, isComplete } = expandVariables(raw, environment);
      return { text, raw, isComplete, fieldPath: `${path}.${list}[${index}]` };
    }),
  );
  const pull = words.findIndex(({ text }) => text === 'pull');
  if (pull === -1 || !words.slice(0, pull).some(({ text }) => /(?:^|\/)oras$/.test(text))) return [];
  return toOperands(words.slice(pull + 1)).map(({ text, raw, isComplete, fieldPath }) =>
    isComplete && !text.includes('$')
      ? { text, source: SOURCE, fieldPath }
      : unresolvable(raw, SOURCE, fieldPath),
  );
}

// Flags of oras that take a value; the word after any other flag is judged as a reference, which denies at worst.
const VALUED: ReadonlySet<string> = new Set([
  '-o',
  '--output',
  '--config',
  '--platform',
  '-u',
  '--username',
  '-p',
  '--password',
  '--ca-file',
  '--registry-config',
  '--concurrency',
]);

function toOperands(words: readonly Word[]): readonly Word[] {
  return words.filter(
    ({ text }, index) => !text.startsWith('-') && !VALUED.has(words[index - 1]?.text ?? ''),
  );
}
