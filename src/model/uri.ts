// Which model URIs stand in a text? Finds `oci://`, `oci+x://`, `kit://` and `modelpack://` anywhere in a command,
// argument or variable. Best effort by nature: a program can build a name that no reader of its manifest sees.

/** Texts longer than this are searched only up to here; the rest is reported as unresolvable, in characters. */
export const MAX_URI_TEXT_CHARS = 65_536;
const SCHEME_SEPARATOR = '://';
// A scheme begins after anything but its own letters (`${M:-oci://…}`), or after a flag's letter (`-moci://…`).
const SCHEMES = /(?:^|[^a-z0-9+]|(?:^|[^a-z0-9+.-])-[a-z])(?:oci(?:\+[a-z]{1,16})?|kit|modelpack)$/;
const LONGEST_SCHEME_CHARS = 24;
const END_OF_REFERENCE = /[^A-Za-z0-9._:/@+$()[\]%~-]/;
const MAX_URI_CHARS = 2048;
/** A URI may end a sentence, a shell list or a bracket; none of these characters ends a reference. */
const PUNCTUATION = '.:/)]';

/** Every model URI's reference text, scheme stripped, in order. */
export function findModelUris(text: string): readonly string[] {
  const found: string[] = [];
  let from = 0;
  for (;;) {
    const separator = text.indexOf(SCHEME_SEPARATOR, from);
    if (separator === -1) return found;
    from = separator + SCHEME_SEPARATOR.length;
    const before = text.slice(Math.max(0, separator - LONGEST_SCHEME_CHARS), separator).toLowerCase();
    if (!SCHEMES.test(before)) continue;
    const run = readRun(text, from);
    found.push(trimPunctuation(run));
    // No reference holds a separator: what a run holds beyond one is refused with it, and read only once.
    from += run.length;
  }
}

function readRun(text: string, from: number): string {
  const rest = text.slice(from, from + MAX_URI_CHARS);
  const end = rest.search(END_OF_REFERENCE);
  return end === -1 ? rest : rest.slice(0, end);
}

// Not a regular expression: anchored at the end only, it takes quadratic time on text that a stranger wrote.
function trimPunctuation(run: string): string {
  let end = run.length;
  while (end > 0 && PUNCTUATION.includes(run.charAt(end - 1))) end -= 1;
  return run.slice(0, end);
}
