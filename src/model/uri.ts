// Which model URIs stand in a text? Finds `oci://`, `oci+x://`, `kit://` and `modelpack://` anywhere in a command,
// argument or variable. Best effort by nature: a program can build a name that no reader of its manifest sees.

/** Texts longer than this are searched only up to here; the rest is reported as unresolvable, in characters. */
export const MAX_URI_TEXT_CHARS = 65_536;
const SCHEME_SEPARATOR = '://';
const SCHEMES = /(?:^|[^a-z0-9+.-])((?:oci(?:\+[a-z]{1,16})?|kit|modelpack))$/;
const LONGEST_SCHEME_CHARS = 24;
const END_OF_REFERENCE = /[^A-Za-z0-9._:/@+$()[\]%~-]/;

/** Every model URI's reference text, scheme stripped, in order. */
export function findModelUris(text: string): readonly string[] {
  const found: string[] = [];
  let from = 0;
  for (;;) {
    const separator = text.indexOf(SCHEME_SEPARATOR, from);
    if (separator === -1) return found;
    from = separator + SCHEME_SEPARATOR.length;
    const before = text.slice(Math.max(0, separator - LONGEST_SCHEME_CHARS), separator).toLowerCase();
    if (SCHEMES.test(before)) found.push(readReference(text, from));
  }
}

function readReference(text: string, from: number): string {
  const rest = text.slice(from, from + 2048);
  const end = rest.search(END_OF_REFERENCE);
  // A URI may end a sentence, a shell list or a bracket; none of these characters ends a reference.
  return (end === -1 ? rest : rest.slice(0, end)).replace(/[.:/)\]]+$/, '');
}

/** True when a text holds a scheme that {@link findModelUris} reads: cheap test before anything else. */
export function hasModelUri(text: string): boolean {
  return text.includes(SCHEME_SEPARATOR) && findModelUris(text).length > 0;
}
