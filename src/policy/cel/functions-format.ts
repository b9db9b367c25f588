// Which text do format strings and names make? string.format over string-format.ts, and strings.quote.
import type { CelFunction } from './cel-function.ts';
import { formatString } from './string-format.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** string.format, string.reverse and strings.quote. */
export const formats: readonly CelFunction[] = [
  { signature: 'string.__format(list<dyn>): string', costPerCharacter: 1, run: formatString },
  {
    signature: 'string.__reverse(): string',
    costPerCharacter: 1,
    run: (s: string) => Array.from(s).toReversed().join(''),
  },
  {
    signature: 'StringsNamespace.__quote(string): string',
    costPerCharacter: 1,
    run: (_: unknown, s: string) => quote(s),
  },
];

function quote(text: string): string {
  // eslint-disable-next-line no-control-regex
  return `"${text.toWellFormed().replace(/[\x07\b\f\n\r\t\v\\"]/g, (char) => ESCAPES[char] ?? char)}"`;
}
